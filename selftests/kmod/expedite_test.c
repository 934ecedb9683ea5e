// SPDX-License-Identifier: GPL-2.0
/* Grace periods are expedited while we freeze, and never a moment longer. */
#include "cycle.h"
#include "mapped.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

#define SAMPLES 20
#define PATIENCE_US 5000000

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

static long long clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/*
 * What synchronize_rcu() takes at least: where the host is busy, one that is
 * expedited may wait for a processor as long as another for its clock ticks.
 */
static long long grace_period_us(void)
{
	long long start, us, least = LLONG_MAX;
	int i;

	for (i = 0; i < SAMPLES; i++) {
		start = clock_us();
		CHECK_EQ(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
		us = clock_us() - start;
		least = us < least ? us : least;
	}
	printf("# a grace period takes %lld us\n", least);
	return least;
}

/* On a busy host the first that are expedited may take as long as others. */
static bool is_expedited(long long before)
{
	long long until = clock_us() + PATIENCE_US;

	do {
		if (grace_period_us() <= before / 4)
			return true;
	} while (clock_us() < until);
	return false;
}

/* A real-time kernel is told not to expedite. */
static void need_expedited_grace_periods(void)
{
	char normal = '0';
	int fd = open("/sys/kernel/rcu_normal", O_RDONLY | O_CLOEXEC);

	CHECK_EQ(read(fd, &normal, 1), 1);
	close(fd);
	if (normal == '1')
		SKIP("this kernel expedites no grace periods");
}

TEST_TIMEOUT(stuck_freeze_does_not_expedite_after_the_deadline, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	long long before;

	need_expedited_grace_periods();
	mapped_mount("nobarrier,noinit_itable");
	mapped_hang();
	before = grace_period_us();
	CHECK_EQ(cycle_request(client, &dir, 1, 2000), 0);
	cycle_await(client, KFREEZE_STATE_FREEZING);
	CHECK(is_expedited(before));
	CHECK_EQ(cycle_result(client).nr_stuck, 1);
	CHECK(grace_period_us() > before / 4);
	mapped_resume();
	CHECK(disk_writable(dir));
	CHECK(grace_period_us() > before / 4);
}

TEST(nothing_expedites_when_frozen_nor_when_thawed)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	long long before;

	need_expedited_grace_periods();
	before = grace_period_us();
	cycle_freeze(client, &dir, 1, 20000);
	CHECK(grace_period_us() > before / 4);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(grace_period_us() > before / 4);
}

TEST_TIMEOUT(nothing_expedites_after_a_failure, 60)
{
	struct client *client = client_open();
	const char *dirs[2] = {disk_mount(DISK_EXT4), MAPPED};
	long long before;

	need_expedited_grace_periods();
	before = grace_period_us();
	mapped_mount("nobarrier,noinit_itable");
	mapped_fail();
	CHECK_EQ(cycle_request(client, dirs, 2, 20000), 0);
	CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_FAILED);
	CHECK(grace_period_us() > before / 4);
}

static void abort_by_thaw(struct client *client)
{
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
}

static void abort_by_rescue(struct client *client)
{
	(void)client;
	CHECK_EQ(client_command(client_new(), KFREEZE_CMD_RESCUE), 0);
}

/* Each freeze expedites, so none before has taken back what it had not done. */
TEST_TIMEOUT(nothing_expedites_after_an_aborted_freeze, 120)
{
	static void (*const aborts[])(struct client * client) = {
		abort_by_thaw,
		abort_by_rescue,
		client_close,
		abort_by_rescue,
	};
	const char *dir = MAPPED;
	struct client *client;
	long long before;
	size_t i;

	need_expedited_grace_periods();
	mapped_mount("nobarrier,noinit_itable");
	before = grace_period_us();
	for (i = 0; i < sizeof(aborts) / sizeof(aborts[0]); i++) {
		client = client_open();
		mapped_hang();
		CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
		cycle_await(client, KFREEZE_STATE_FREEZING);
		CHECK(is_expedited(before));
		aborts[i](client);
		CHECK(grace_period_us() > before / 4);
		mapped_resume();
		CHECK(disk_writable(dir));
		/* or the next flush hangs */
		CHECK_EQ(RUN("sync", "-f", dir), 0);
	}
}
