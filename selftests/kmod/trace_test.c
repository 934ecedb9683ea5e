// SPDX-License-Identifier: GPL-2.0
/* The tracepoints tell device, level, error and duration of every step. */
#include "cycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"
#include "workers.h"

#define TRACING "/sys/kernel/tracing/"
#define TRACE_SIZE 65536
#define DEADLINE_MS 2064 /* for which timers of the kernel are least exact */

void ktap_setup(void)
{
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	workers_setup();
}

void ktap_teardown(void)
{
	CHECK_EQ(file_write(TRACING "events/kfreeze/enable", "0"), 0);
	workers_teardown();
	disk_umount_all();
}

/* The trace, once @wanted stands in it. */
static const char *read_trace(const char *wanted)
{
	static char text[TRACE_SIZE];
	long long until = clock_ms() + 5000;
	FILE *f;

	do {
		f = fopen(TRACING "trace", "re");
		CHECK(f);
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		if (strstr(text, wanted))
			return text;
	} while (clock_ms() < until);
	printf("# not in the trace: %s\n", wanted);
	exit(EXIT_FAILURE);
}

/* A line of @event tells of the filesystem at @dir with @err. Its duration. */
static unsigned long long check_event(const char *event, const char *dir,
				      int level, int err)
{
	unsigned long long ns;
	char wanted[96], *end;
	struct stat st;

	CHECK_EQ(stat(dir, &st), 0);
	snprintf(wanted, sizeof(wanted),
		 "%s: dev=%u:%u level=%d error=%d ns=", event, major(st.st_dev),
		 minor(st.st_dev), level, err);
	ns = strtoull(strstr(read_trace(wanted), wanted) + strlen(wanted), &end,
		      10);
	CHECK_EQ(*end, '\n');
	return ns;
}

TEST(every_step_of_every_target_is_traced)
{
	struct client *client = client_open();
	const char *dirs[2] = {disk_mount(DISK_EXT4), disk_mount(DISK_XFS)};
	int i;

	CHECK_EQ(file_write(TRACING "trace", ""), 0);
	CHECK_EQ(file_write(TRACING "events/kfreeze/enable", "1"), 0);
	cycle_freeze(client, dirs, 2, 20000);
	cycle_thaw(client);
	for (i = 0; i < 2; i++) {
		check_event("flush", dirs[i], 0, 0);
		check_event("freeze", dirs[i], 0, 0);
		check_event("thaw", dirs[i], 0, 0);
	}
	CHECK(!strstr(read_trace("thaw"), "expire:"));
}

TEST(expiry_is_traced_when_it_is_due)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	unsigned long long ns;

	CHECK_EQ(file_write(TRACING "trace", ""), 0);
	CHECK_EQ(file_write(TRACING "events/kfreeze/enable", "1"), 0);
	cycle_freeze(client, &dir, 1, DEADLINE_MS);
	CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_LOST);
	ns = check_event("expire", dir, 0, -ETIMEDOUT);
	CHECK(ns >= DEADLINE_MS * 1000000ULL);
	CHECK(ns < DEADLINE_MS * 1100000ULL);
}

/* As others may: what is thawed by then has expired nevertheless. */
TEST(expiry_is_traced_though_workers_outrun_the_watchdog)
{
	static const enum disk disks[] = {DISK_EXT4, DISK_EXT4_2, DISK_XFS,
					  DISK_VFAT};
	const int nr = sizeof(disks) / sizeof(disks[0]);
	struct client *client = client_open();
	const char *dirs[nr];
	int i, round;

	for (i = 0; i < nr; i++)
		dirs[i] = disk_mount(disks[i]);
	CHECK_EQ(file_write(TRACING "events/kfreeze/enable", "1"), 0);
	CHECK_EQ(workers_outrun_watchdog(), 0);
	/* at first workers have to be created, which takes them longer */
	for (round = 0; round < 3; round++) {
		CHECK_EQ(file_write(TRACING "trace", ""), 0);
		cycle_freeze(client, dirs, nr, 1000);
		CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_LOST);
		for (i = 0; i < nr; i++)
			check_event("expire", dirs[i], 0, -ETIMEDOUT);
	}
}
