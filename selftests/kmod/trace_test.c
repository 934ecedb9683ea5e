// SPDX-License-Identifier: GPL-2.0
/* The tracepoints tell device, level, error and duration of every step. */
#include "cycle.h"
#include "mapped.h"
#include "trace.h"
#include "workers.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"

#define DEADLINE_MS 2064 /* for which timers of the kernel are least exact */

void ktap_setup(void)
{
	trace_setup();
	workers_setup();
	mapped_setup();
}

void ktap_teardown(void)
{
	trace_teardown();
	workers_teardown();
	mapped_teardown();
	disk_umount_all();
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
	ns = strtoull(strstr(trace_read(wanted), wanted) + strlen(wanted), &end,
		      10);
	CHECK_EQ(*end, '\n');
	return ns;
}

TEST(every_step_of_every_target_is_traced)
{
	struct client *client = client_open();
	const char *dirs[2] = {disk_mount(DISK_EXT4), disk_mount(DISK_XFS)};
	int i;

	trace_start("kfreeze");
	cycle_freeze(client, dirs, 2, 20000);
	cycle_thaw(client);
	for (i = 0; i < 2; i++) {
		check_event("flush", dirs[i], 0, 0);
		check_event("freeze", dirs[i], 0, 0);
		check_event("thaw", dirs[i], 0, 0);
	}
	CHECK(!strstr(trace_read("thaw"), "expire:"));
}

/* What lies on another one freezes before it, so all of the highest first. */
TEST(levels_freeze_from_the_highest_down)
{
	static const enum disk disks[] = {DISK_EXT4, DISK_XFS, DISK_EXT4_2};
	static const uint8_t levels[] = {1, 0, 2};
	static const char freeze[] = " freeze: dev=";
	struct client *client = client_open();
	struct client_request request = {.nr = 3, .levels = levels};
	const char *at, *dirs[3];
	int fds[3], level, i;

	for (i = 0; i < 3; i++) {
		dirs[i] = disk_mount(disks[i]);
		fds[i] = disk_open(dirs[i]);
	}
	request.fds = fds;
	trace_start("kfreeze");
	CHECK_EQ(client_freeze(client, &request), 0);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	for (i = 0; i < 3; i++)
		check_event("freeze", dirs[i], levels[i], 0);
	at = trace_read(freeze);
	for (i = 2; i >= 0; i--) {
		at = strstr(at, freeze);
		CHECK(at);
		at += strlen(freeze);
		CHECK_EQ(sscanf(at, "%*u:%*u level=%d", &level), 1);
		CHECK_EQ(level, i);
	}
}

TEST_TIMEOUT(failed_freeze_is_traced_with_its_error, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED;

	mapped_mount("nobarrier,noinit_itable");
	mapped_fail();
	trace_start("kfreeze");
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_FAILED);
	check_event("freeze", dir, 0, -EIO);
}

TEST(expiry_is_traced_when_it_is_due)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	unsigned long long ns;

	trace_start("kfreeze");
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
	CHECK_EQ(workers_outrun_watchdog(), 0);
	/* at first workers have to be created, which takes them longer */
	for (round = 0; round < 3; round++) {
		trace_start("kfreeze");
		cycle_freeze(client, dirs, nr, 1000);
		CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_LOST);
		for (i = 0; i < nr; i++)
			check_event("expire", dirs[i], 0, -ETIMEDOUT);
	}
}
