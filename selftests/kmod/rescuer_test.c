// SPDX-License-Identifier: GPL-2.0
/*
 * Where no worker can be created, the queue's rescuer thaws. What gets stuck in
 * it keeps nobody else once there are workers again.
 */
#include "cycle.h"
#include "mapped.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktap.h"

#define CPUMASK "/sys/devices/virtual/workqueue/cpumask"
#define THREADS_MAX "/proc/sys/kernel/threads-max"

/* What was there, read before every test: the test may not come to its end. */
static char cpumask[64], threads_max[64];

/* Other processors, hence new pools, with one worker each, and never more. */
static void starve(void)
{
	CHECK_EQ(file_write(CPUMASK, "1"), 0);
	CHECK_EQ(file_write(THREADS_MAX, "20"), 0); /* the least it takes */
}

static void feed(void)
{
	CHECK_EQ(file_write(THREADS_MAX, threads_max), 0);
	CHECK_EQ(file_write(CPUMASK, cpumask), 0);
}

void ktap_setup(void)
{
	file_read(CPUMASK, cpumask, sizeof(cpumask));
	file_read(THREADS_MAX, threads_max, sizeof(threads_max));
	mapped_setup();
}

void ktap_teardown(void)
{
	feed();
	mapped_teardown();
	disk_umount_all();
}

/* "89 (kfreeze_thaw+kfreeze_thaw) D 2 ...", since 6.9 "(kworker/R-kfree..." */
static bool is_stuck_rescuer(const char *pid)
{
	char path[64], stat[128] = "", *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(stat, sizeof(stat), f))
		stat[0] = '\0';
	fclose(f);
	state = strstr(stat, ") ");
	return state && state[2] == 'D' &&
	       (strstr(stat, "(kfreeze_thaw") ||
		strstr(stat, "(kworker/R-kfree"));
}

static bool rescuer_is_stuck(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	CHECK(proc);
	while (!found && (entry = readdir(proc)))
		found = is_stuck_rescuer(entry->d_name);
	closedir(proc);
	return found;
}

/* @stuck has frozen MAPPED, and is the first that is to be thawed. */
static void check_thaw(struct client *stuck, const char *other)
{
	struct writer writer = writer_start(other);
	long long until;

	CHECK(writer_blocks(&writer));
	mapped_hang();
	starve();
	CHECK_EQ(client_command(client_new(), KFREEZE_CMD_RESCUE), 0);
	until = clock_ms() + 10000;
	while (!rescuer_is_stuck() && clock_ms() < until)
		sched_yield();
	CHECK(rescuer_is_stuck());
	feed();
	CHECK(writer_ends(&writer, 10000));
	CHECK(rescuer_is_stuck());
	mapped_resume();
	CHECK_EQ(cycle_result(stuck).state, KFREEZE_STATE_IDLE);
	CHECK(disk_writable(MAPPED));
}

TEST_TIMEOUT(stuck_thaw_keeps_nobody_else_of_its_session, 60)
{
	struct client *client = client_open();
	const char *dirs[] = {MAPPED, disk_mount(DISK_EXT4)};

	mapped_mount("");
	cycle_freeze(client, dirs, 2, 60000);
	check_thaw(client, dirs[1]);
}

TEST_TIMEOUT(stuck_thaw_keeps_no_other_session, 60)
{
	struct client *stuck = client_open(), *client = client_open();
	const char *mapped = MAPPED, *dir = disk_mount(DISK_EXT4);

	mapped_mount("");
	cycle_freeze(stuck, &mapped, 1, 60000);
	cycle_freeze(client, &dir, 1, 60000);
	check_thaw(stuck, dir);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_IDLE);
}
