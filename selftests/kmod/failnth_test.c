// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation that a request makes fails once, the first in the first
 * run, the second in the second. A request that fails did nothing. And what
 * thaws must do without any.
 */
#include "cycle.h"
#include "fault.h"
#include "module.h"
#include "workers.h"

#include <netlink/netlink.h>
#include <stdio.h>
#include <unistd.h>

#include "ktap.h"

#define DISKS 2
#define NTH_MAX 1000 /* no request comes near */
#define PATIENCE_S 600
#define WORKERS_MAX 64 /* more than there are */
#define DIRTY_SIZE (256 << 10)
/* Another worker may have had it: only so many in a row mean the end. */
#define IDLE_MAX 5

static const char *dirs[DISKS];

/* One request during which one allocation failed. */
struct attempt {
	bool injected; /* false: it made fewer allocations */
	bool taken; /* the kernel has got the message */
	int err; /* of the answer, -ENOBUFS: which was lost */
};

void ktap_setup(void)
{
	fault_setup();
}

void ktap_teardown(void)
{
	fault_teardown();
	disk_umount_all();
}

static int own_faults(void)
{
	int fd = fault_open(0);

	if (fd < 0)
		SKIP("this kernel has no fault injection");
	return fd;
}

static struct attempt try(struct client *client, struct nl_msg *msg, int fault,
			  int nth)
{
	struct attempt attempt = {0};
	uint32_t seq;

	fault_set(fault, nth);
	attempt.taken = client_post(client, msg, &seq) == 0;
	attempt.injected = fault_left(fault) == 0;
	fault_set(fault, 0);
	if (attempt.taken)
		attempt.err = client_answer(client, seq);
	if (attempt.err && attempt.err != -ENOBUFS)
		CHECK_EQ(attempt.err, -ENOMEM);
	return attempt;
}

static void mount_disks(void)
{
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = disk_mount(DISK_XFS);
}

static void check_all_writable(void)
{
	int i;

	for (i = 0; i < DISKS; i++)
		CHECK(disk_writable(dirs[i]));
}

static struct attempt try_open(int fault, int nth)
{
	struct client *client = client_new();
	struct attempt attempt;
	int err;

	attempt = try(client, client_message(client, KFREEZE_CMD_OPEN), fault,
		      nth);
	err = client_command(client, KFREEZE_CMD_OPEN);
	if (attempt.taken && attempt.err == 0)
		CHECK_EQ(err, -EBUSY);
	else if (err != -EBUSY || attempt.err != -ENOBUFS)
		CHECK_EQ(err, 0);
	client_close(client);
	return attempt;
}

static uint32_t state_of(struct client *client)
{
	struct client_result status;

	CHECK(client_status(client, &status, 1) >= 1);
	return status.state;
}

static void thaw(struct client *client)
{
	struct client_result result = cycle_thaw(client);

	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
}

static struct attempt try_freeze(int fault, int nth)
{
	struct client_request request = {.nr = DISKS, .timeout_ms = 60000};
	struct client *client = client_open();
	struct attempt attempt;
	int fds[DISKS], i;

	for (i = 0; i < DISKS; i++)
		fds[i] = disk_open(dirs[i]);
	request.fds = fds;
	attempt = try(client, client_freeze_message(client, &request), fault,
		      nth);
	for (i = 0; i < DISKS; i++)
		close(fds[i]);
	if (state_of(client) == KFREEZE_STATE_IDLE) {
		CHECK(!attempt.taken || attempt.err);
	} else {
		CHECK(attempt.taken && attempt.err != -ENOMEM);
		CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
		thaw(client);
	}
	check_all_writable();
	client_close(client);
	return attempt;
}

/* No allocation of ours keeps a thaw: what fails is netlink's own. */
static struct attempt try_thaw(int fault, int nth)
{
	struct client *client = client_open();
	struct client_result result;
	struct attempt attempt;

	cycle_freeze(client, dirs, DISKS, 60000);
	attempt = try(client, client_message(client, KFREEZE_CMD_THAW), fault,
		      nth);
	if (state_of(client) == KFREEZE_STATE_FROZEN) {
		CHECK(!attempt.taken || attempt.err == -ENOMEM);
		thaw(client);
	} else {
		result = cycle_result(client);
		CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	}
	check_all_writable();
	client_close(client);
	return attempt;
}

/* Each try is a session of its own, which does not wait for the last one. */
static void load_without_interval(void)
{
	CHECK(module_unload());
	CHECK_EQ(RUN("insmod", "/lib/modules/kfreeze.ko", "min_interval_ms=0"),
		 0);
}

static void fail_every_allocation(struct attempt (*try_once)(int fault, int nth))
{
	int fault = own_faults();
	int nth, nr_failed = 0;
	struct attempt attempt;

	load_without_interval();
	mount_disks();
	for (nth = 1; nth < NTH_MAX; nth++) {
		attempt = try_once(fault, nth);
		if (!attempt.injected)
			break;
		nr_failed += !attempt.taken || attempt.err;
	}
	printf("# %d allocations, %d of them failed the request\n", nth - 1,
	       nr_failed);
	CHECK(nth > 1 && nth < NTH_MAX);
	CHECK(nr_failed > 0);
	CHECK(attempt.taken);
	CHECK_EQ(attempt.err, 0);
}

TEST_TIMEOUT(open_without_memory_opens_nothing, PATIENCE_S)
{
	fail_every_allocation(try_open);
}

TEST_TIMEOUT(freeze_without_memory_freezes_nothing, PATIENCE_S)
{
	fail_every_allocation(try_freeze);
}

TEST_TIMEOUT(thaw_needs_no_memory_of_ours, PATIENCE_S)
{
	fail_every_allocation(try_thaw);
}

/* Their fail-nth files; one that has just ended has none. */
static int open_workers(int faults[WORKERS_MAX])
{
	pid_t pids[WORKERS_MAX];
	int nr_found = workers_find(pids, WORKERS_MAX), nr = 0, i;

	for (i = 0; i < nr_found; i++) {
		faults[nr] = fault_open(pids[i]);
		nr += faults[nr] >= 0;
	}
	CHECK(nr > 0);
	return nr;
}

/* All of the filesystems are frozen, or none, with an error. */
static void check_frozen_or_not(struct client *client, bool *frozen)
{
	struct client_result result = cycle_result(client);

	*frozen = result.state == KFREEZE_STATE_FROZEN;
	if (*frozen) {
		CHECK_EQ(result.nr_frozen, DISKS);
		return;
	}
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
	CHECK(result.error < 0);
}

/* The nth allocation of each worker fails: how many came so far? */
static int try_works(int nth, bool *frozen)
{
	struct client *client = client_open();
	int faults[WORKERS_MAX], nr, i, nr_injected = 0;

	for (i = 0; i < DISKS; i++)
		disk_dirty(dirs[i], "dirty", DIRTY_SIZE);
	nr = open_workers(faults);
	for (i = 0; i < nr; i++)
		fault_set(faults[i], nth);
	CHECK_EQ(cycle_request(client, dirs, DISKS, 60000), 0);
	check_frozen_or_not(client, frozen);
	for (i = 0; i < nr; i++) {
		nr_injected += fault_left(faults[i]) == 0;
		fault_set(faults[i], 0);
		close(faults[i]);
	}
	if (*frozen)
		thaw(client);
	check_all_writable();
	client_close(client);
	return nr_injected;
}

/* Some are the filesystems' own: one that has no memory refuses, or waits. */
TEST_TIMEOUT(works_without_memory_freeze_all_or_nothing, PATIENCE_S)
{
	int nth, nr_injected, all = 0, idle = 0, nr_failed = 0;
	bool frozen;

	close(own_faults());
	load_without_interval();
	mount_disks();
	for (nth = 1; idle < IDLE_MAX; nth++) {
		CHECK(nth < NTH_MAX);
		nr_injected = try_works(nth, &frozen);
		idle = nr_injected ? 0 : idle + 1;
		all += nr_injected;
		nr_failed += !frozen;
	}
	printf("# %d allocations, %d cycles failed\n", all, nr_failed);
	CHECK(all > 0);
}

/* The cycle that @client has frozen ends well, without any memory. */
static void check_starved_end(struct client *client, enum kfreeze_cause cause)
{
	struct client_result result = cycle_result(client);

	CHECK_EQ(result.cause, cause);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK_EQ(result.error, 0);
	CHECK_EQ(result.nr_frozen, DISKS);
	check_all_writable();
}

/* Of the works, too; the last request proves that there was no memory. */
TEST_TIMEOUT(thaw_needs_no_memory_at_all, 60)
{
	struct client *client = client_open(), *admin = client_new();

	close(own_faults());
	mount_disks();
	cycle_freeze(client, dirs, DISKS, 1000);
	fault_starve(true);
	check_starved_end(client, KFREEZE_CAUSE_DEADLINE);
	fault_starve(false);
	cycle_freeze(client, dirs, DISKS, 60000);
	fault_starve(true);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	check_starved_end(client, KFREEZE_CAUSE_THAW);
	fault_starve(false);
	cycle_freeze(client, dirs, DISKS, 60000);
	fault_starve(true);
	CHECK_EQ(client_command(admin, KFREEZE_CMD_RESCUE), 0);
	check_starved_end(client, KFREEZE_CAUSE_RESCUE);
	CHECK_EQ(cycle_request(client, dirs, DISKS, 60000), -ENOMEM);
	fault_starve(false);
}

TEST(nothing_holds_the_module)
{
	CHECK(module_unload());
}
