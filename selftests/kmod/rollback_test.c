// SPDX-License-Identifier: GPL-2.0
/* All or nothing: when one filesystem fails, all others are thawed. */
#include "cycle.h"
#include "mapped.h"

#include <linux/fs.h>
#include <unistd.h>

#include "ktap.h"

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

static void mount_five(const char *dirs[5])
{
	int i;

	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = disk_mount(DISK_XFS);
	dirs[2] = MAPPED;
	dirs[3] = disk_mount(DISK_BTRFS);
	dirs[4] = disk_mount(DISK_VFAT);
	for (i = 0; i < 5; i++)
		if (i != 2)
			disk_dirty(dirs[i], "dirty", 1 << 20);
}

/* Without barriers the flush of a clean ext4 does no I/O: its freeze fails. */
TEST_TIMEOUT(failed_freeze_thaws_the_other_four, 60)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dirs[5];
	int i;

	mapped_mount("nobarrier,noinit_itable");
	mount_five(dirs);
	mapped_fail();
	CHECK_EQ(cycle_request(client, dirs, 5, 20000), 0);
	result = cycle_result(client);
	for (i = 0; i < 5; i++)
		if (i != 2)
			CHECK(disk_writable(dirs[i]));
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_ERROR);
	CHECK_EQ(result.error, -EIO);
	CHECK_EQ(result.target.index, 2);
	CHECK_EQ(result.target.step, KFREEZE_STEP_FREEZE);
	CHECK_EQ(result.target.error, -EIO);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESRCH);
}

TEST_TIMEOUT(failed_flush_freezes_nothing, 60)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dirs[5];

	mapped_mount("");
	mount_five(dirs);
	disk_dirty(MAPPED, "dirty", 1 << 20);
	mapped_fail();
	CHECK_EQ(cycle_request(client, dirs, 5, 20000), 0);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
	CHECK_EQ(result.target.index, 2);
	CHECK_EQ(result.target.step, KFREEZE_STEP_FLUSH);
	CHECK_EQ(result.hold_ns, 0);
	CHECK_EQ(result.nr_frozen, 0);
	CHECK(disk_writable(dirs[0]));
}

TEST_TIMEOUT(stuck_flush_ends_at_its_own_deadline, 60)
{
	struct client *client = client_open();
	struct client_request request = {.nr = 2, .flush_timeout_ms = 500};
	struct client_result result, messages[3];
	const char *dir;
	int fds[2];

	mapped_mount("");
	dir = disk_mount(DISK_EXT4);
	disk_dirty(MAPPED, "dirty", 1 << 20);
	mapped_hang();
	fds[0] = disk_open(dir);
	fds[1] = disk_open(MAPPED);
	request.fds = fds;
	CHECK_EQ(client_freeze(client, &request), 0);
	close(fds[0]);
	close(fds[1]);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_FLUSH_DEADLINE);
	CHECK_EQ(result.error, -ETIMEDOUT);
	CHECK_EQ(result.target.index, 1);
	CHECK(disk_writable(dir));

	/* what was flushed in time has waited for it, and not frozen */
	CHECK_EQ(result.hold_ns, 0);
	CHECK_EQ(client_status(client, messages, 3), 3);
	CHECK_EQ(messages[1].target.state, KFREEZE_TARGET_FLUSHED);
	CHECK_EQ(messages[1].target.freeze_ns, 0);

	/* what is stuck is not to be had, all else is */
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	dir = MAPPED;
	CHECK_EQ(cycle_request(client_open(), &dir, 1, 20000), -EBUSY);
}

/*
 * Nobody can undo a freeze_super() that does not return. It must not keep the
 * others, is reported at the deadline, and thaws itself when it gets there.
 */
TEST_TIMEOUT(stuck_freeze_keeps_nobody_else, 60)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dirs[3];
	uint32_t cycle;
	long long start;

	CHECK_EQ(client_listen(client), 0);
	mapped_mount("nobarrier,noinit_itable");
	dirs[0] = MAPPED; /* nothing comes before it */
	dirs[1] = disk_mount(DISK_EXT4);
	dirs[2] = disk_mount(DISK_XFS);
	mapped_hang(); /* clean: its flush passes, its freeze does not */
	start = clock_ms();
	CHECK_EQ(cycle_request(client, dirs, 3, 1000), 0);
	cycle = client->number;
	result = cycle_result(client);
	CHECK_EQ(result.cmd, KFREEZE_CMD_RESULT);
	CHECK(clock_ms() - start < 3000);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK_EQ(result.nr_frozen, 2);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK_EQ(result.error, -ETIMEDOUT);
	CHECK_EQ(result.target.index, 0);
	CHECK_EQ(result.target.step, KFREEZE_STEP_FREEZE);
	CHECK_EQ(result.target.state, KFREEZE_TARGET_STUCK);
	CHECK(disk_writable(dirs[1]));
	CHECK(disk_writable(dirs[2]));
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_OVER);

	mapped_resume();
	result = cycle_result(client);
	CHECK_EQ(result.cmd, KFREEZE_CMD_EVENT);
	CHECK_EQ(result.event, KFREEZE_EVENT_UNSTUCK);
	CHECK_EQ(result.cycle, cycle);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK(disk_writable(MAPPED));
}

/* It is refused itself; with all else its own session may go on. */
TEST_TIMEOUT(stuck_freeze_leaves_the_others_to_new_cycles, 60)
{
	struct client *client = client_open();
	struct client_result result;
	struct writer writer;
	const char *dirs[2];
	uint32_t cycle;

	CHECK_EQ(client_listen(client), 0);
	mapped_mount("nobarrier,noinit_itable");
	dirs[0] = MAPPED;
	dirs[1] = disk_mount(DISK_EXT4);
	mapped_hang();
	CHECK_EQ(cycle_request(client, dirs, 2, 500), 0);
	cycle = client->number;
	CHECK_EQ(cycle_result(client).nr_stuck, 1);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_OVER);

	CHECK_EQ(cycle_request(client, dirs, 1, 20000), -EBUSY);
	CHECK_STREQ(client->text, "another cycle holds this filesystem");
	cycle_freeze(client, &dirs[1], 1, 20000);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_FROZEN);
	mapped_resume();
	result = cycle_result(client);
	CHECK_EQ(result.event, KFREEZE_EVENT_UNSTUCK);
	CHECK_EQ(result.cycle, cycle);
	CHECK_EQ(result.state, KFREEZE_STATE_FROZEN);
	CHECK(disk_writable(MAPPED));
	writer = writer_start(dirs[1]);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

static _Noreturn void freeze_and_exit(const char *dir)
{
	disk_ioctl(dir, FIFREEZE);
	_exit(EXIT_SUCCESS);
}

/* Somebody else's has it then, and the lock that a flush needs. */
TEST_TIMEOUT(freeze_in_which_another_one_is_stuck_freezes_nothing, 60)
{
	struct client_request request = {.nr = 1, .flush_timeout_ms = 500};
	struct client *client = client_open();
	struct client_result result;
	pid_t pid;
	int fd;

	mapped_mount("nobarrier,noinit_itable");
	mapped_hang();
	fd = disk_open(MAPPED);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		freeze_and_exit(MAPPED);
	while (!process_sleeps_in(pid, "ext4_freeze"))
		poll(NULL, 0, 5);
	request.fds = &fd;
	CHECK_EQ(client_freeze(client, &request), 0);
	close(fd);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_FLUSH_DEADLINE);
	mapped_resume();
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(disk_ioctl(MAPPED, FITHAW), 0);
	CHECK(disk_writable(MAPPED));
}

/* ext4 writes its superblock to thaw, which waits for the device. */
TEST_TIMEOUT(stuck_thaw_keeps_nobody_else, 60)
{
	struct client *client = client_open();
	struct client_result result;
	struct writer writers[3];
	const char *dirs[4];
	long long start;
	int i;

	CHECK_EQ(client_listen(client), 0);
	mapped_mount("");
	dirs[0] = MAPPED; /* nothing comes before it */
	dirs[1] = disk_mount(DISK_EXT4);
	dirs[2] = disk_mount(DISK_XFS);
	dirs[3] = disk_mount(DISK_BTRFS);
	cycle_freeze(client, dirs, 4, 20000);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_FROZEN);
	mapped_hang();
	for (i = 0; i < 3; i++)
		writers[i] = writer_start(dirs[i + 1]);
	for (i = 0; i < 3; i++)
		CHECK(writer_blocks(&writers[i]));
	start = clock_ms();
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	for (i = 0; i < 3; i++)
		CHECK(writer_ends(&writers[i], 10000));
	CHECK(clock_ms() - start < 2000);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -EALREADY);
	result = cycle_result(client); /* after the time of grace */
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_OVER);
	mapped_resume();
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_UNSTUCK);
	CHECK(disk_writable(MAPPED));
}

/* The deadline has patience with it for a moment only. */
TEST_TIMEOUT(stuck_thaw_after_the_deadline_keeps_nobody_else, 60)
{
	struct client *client = client_open();
	const char *dirs[2] = {MAPPED, disk_mount(DISK_EXT4)};
	struct client_result result;
	struct writer writer;

	CHECK_EQ(client_listen(client), 0);
	mapped_mount("");
	cycle_freeze(client, dirs, 2, 1500);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_FROZEN);
	mapped_hang();
	writer = writer_start(dirs[1]);
	CHECK(writer_blocks(&writer));
	CHECK(writer_ends(&writer, 10000));
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK_EQ(result.nr_frozen, 1);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_OVER);
	mapped_resume();
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_UNSTUCK);
	CHECK(disk_writable(MAPPED));
}

static void check_abort(const char *options, enum kfreeze_state state)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dirs[2];

	mapped_mount(options);
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = MAPPED;
	if (state == KFREEZE_STATE_FLUSHING)
		disk_dirty(MAPPED, "dirty", 1 << 20);
	mapped_hang();
	CHECK_EQ(cycle_request(client, dirs, 2, 60000), 0);
	cycle_await(client, state);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	CHECK(disk_writable(dirs[0]));
	mapped_resume();
	result = cycle_result(client);
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_ABORTED);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_THAW);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESRCH);
	CHECK(disk_writable(MAPPED));
}

TEST_TIMEOUT(thaw_aborts_a_flush, 60)
{
	check_abort("", KFREEZE_STATE_FLUSHING);
}

TEST_TIMEOUT(thaw_aborts_a_freeze, 60)
{
	check_abort("nobarrier,noinit_itable", KFREEZE_STATE_FREEZING);
}

/* Nothing is frozen yet: the thaw is over before its request is answered. */
TEST_TIMEOUT(result_may_come_before_its_ack, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED;

	mapped_mount("");
	disk_dirty(MAPPED, "dirty", 1 << 20);
	mapped_hang();
	CHECK_EQ(cycle_request(client, &dir, 1, 60000), 0);
	cycle_await(client, KFREEZE_STATE_FLUSHING);
	CHECK(!client->results);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	CHECK(client->results);
	CHECK_EQ(client->results->verdict, KFREEZE_VERDICT_ABORTED);
}
