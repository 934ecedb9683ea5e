// SPDX-License-Identifier: GPL-2.0
/* Never left behind: what ends a freeze when its owner does not. */
#include "cycle.h"
#include "mapped.h"
#include "workers.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ktap.h"

#define DISKS 4 /* ext4 twice, xfs, btrfs */

static const enum disk disk[DISKS] = {DISK_EXT4, DISK_EXT4_2, DISK_XFS,
				      DISK_BTRFS};
static const char *dirs[DISKS];

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

static void mount_disks(void)
{
	int i;

	for (i = 0; i < DISKS; i++)
		dirs[i] = disk_mount(disk[i]);
}

static void check_all_writable(void)
{
	int i;

	for (i = 0; i < DISKS; i++)
		CHECK(disk_writable(dirs[i]));
}

TEST(deadline_thaws)
{
	struct client *client = client_open();
	struct client_result result;
	long long start, passed;
	struct writer writer;

	mount_disks();
	start = clock_ms();
	cycle_freeze(client, dirs, DISKS, 2000);
	writer = writer_start(dirs[0]);
	CHECK(writer_blocks(&writer));
	result = cycle_result(client);
	passed = clock_ms() - start;
	CHECK(passed >= 2000);
	/* the flush comes before, and the CPUs are emulated */
	CHECK(passed < 4000);
	CHECK(result.hold_ns >= 2000000000);
	CHECK(result.hold_ns < 2500000000);
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK(writer_ends(&writer, 10000));
	check_all_writable();
}

TEST(thaw_after_the_deadline_is_an_error_once)
{
	struct client *client = client_open();

	mount_disks();
	cycle_freeze(client, dirs, DISKS, 1000);
	CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESTALE);
	CHECK_STREQ(client->text,
		    "the freeze was lost: its cycle is over already");
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESRCH);
}

TEST(old_deadline_does_not_end_a_new_cycle)
{
	struct client *client = client_open();

	mount_disks();
	cycle_freeze(client, dirs, 1, 1000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(cycle_request(client, dirs, 1, 20000), 0);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	/* longer than the old one, shorter than the new one */
	poll(NULL, 0, 1200);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* In a process of its own: open, freeze, tell, and wait to be ended. */
static pid_t freezer_start(int *told)
{
	struct client *client;
	int ends[2];
	pid_t pid;

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid) {
		close(ends[1]);
		*told = ends[0];
		return pid;
	}
	client = client_open();
	cycle_freeze(client, dirs, DISKS, 60000);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	for (;;)
		pause();
}

static void check_owner_death(int sig)
{
	struct client *listener = client_open();
	struct client_result event;
	struct writer writer;
	long long start;
	char byte;
	pid_t pid;
	int told;

	mount_disks();
	CHECK_EQ(client_listen(listener), 0);
	pid = freezer_start(&told);
	CHECK_EQ(read(told, &byte, 1), 1);
	writer = writer_start(dirs[2]);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_result(listener).event, KFREEZE_EVENT_FROZEN);
	start = clock_ms();
	kill(pid, sig);
	CHECK(writer_ends(&writer, 5000));
	CHECK(clock_ms() - start < 1000);
	event = cycle_result(listener);
	CHECK_EQ(event.event, KFREEZE_EVENT_OVER);
	CHECK_EQ(event.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(event.cause, KFREEZE_CAUSE_OWNER);
	check_all_writable();
}

TEST(kill_of_the_owner_thaws_within_a_second)
{
	check_owner_death(SIGKILL);
}

TEST(exit_of_the_owner_thaws_within_a_second)
{
	check_owner_death(SIGTERM);
}

TEST(close_of_the_socket_thaws)
{
	struct client *client = client_open();
	struct writer writer;

	mount_disks();
	cycle_freeze(client, dirs, DISKS, 60000);
	writer = writer_start(dirs[1]);
	CHECK(writer_blocks(&writer));
	client_close(client);
	CHECK(writer_ends(&writer, 1000));
	check_all_writable();
}

TEST(inherited_socket_keeps_the_session)
{
	struct client *client = client_open();
	struct writer writer;
	int go[2];
	pid_t pid;

	mount_disks();
	CHECK_EQ(pipe2(go, O_CLOEXEC), 0);
	cycle_freeze(client, dirs, DISKS, 60000);
	pid = fork();
	if (pid == 0) {
		char byte;

		_exit(read(go[0], &byte, 1) != 1 ||
		      cycle_thaw(client).verdict != KFREEZE_VERDICT_OK);
	}
	client_close(client);
	writer = writer_start(dirs[0]);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK(writer_ends(&writer, 10000));
}

TEST(owner_without_rights_may_go_on)
{
	struct client *client = client_open();

	mount_disks();
	CHECK_EQ(setresuid(65534, 65534, 65534), 0);
	cycle_freeze(client, dirs, DISKS, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST(rescue_thaws_what_any_session_holds)
{
	struct client *client = client_open(), *admin = client_new();
	struct client_result result;

	mount_disks();
	cycle_freeze(client, dirs, DISKS, 60000);
	CHECK_EQ(client_command(admin, KFREEZE_CMD_RESCUE), 0);
	CHECK_EQ(admin->number, 1);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_RESCUE);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESTALE);
	check_all_writable();
}

/* What INFO tells is what the tests go by: here by what a kernel is known for. */
TEST(holder_is_what_the_kernel_can_do)
{
	int major = 0, minor = 0, release;
	struct utsname kernel;
	uint32_t holder;

	CHECK_EQ(uname(&kernel), 0);
	CHECK_EQ(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
	release = major * 100 + minor;
	holder = release < 606	 ? KFREEZE_HOLDER_NONE
		 : release < 616 ? KFREEZE_HOLDER_KERNEL
				 : KFREEZE_HOLDER_EXCL;
	CHECK_EQ(client_holder(), holder);
}

/* It says that it has done what it has not, where holders are not exclusive. */
static void thaw_by_ioctl(void)
{
	CHECK_EQ(disk_ioctl(dirs[0], FITHAW),
		 client_holder() == KFREEZE_HOLDER_EXCL ? -EINVAL : 0);
}

/* The thaw itself is a work's, which says when it is through. */
static void thaw_by_sysrq(void)
{
	int log = log_open();

	CHECK_EQ(file_write("/proc/sysrq-trigger", "j"), 0);
	while (!log_says(log, "Emergency Thaw complete"))
		poll(NULL, 0, 5);
	close(log);
}

/* Without holders a foreign thaw undoes ours: noticed when it happens. */
static void check_foreign_thaw(void (*thaw)(void), int nr)
{
	struct client *client = client_open(), *listener = client_new();
	struct client_result result;
	struct writer writer;

	mount_disks();
	CHECK_EQ(client_listen(listener), 0);
	cycle_freeze(client, dirs, nr, 20000);
	CHECK_EQ(cycle_result(listener).event, KFREEZE_EVENT_FROZEN);
	thaw();
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		result = cycle_result(client);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
		CHECK_EQ(result.cause, KFREEZE_CAUSE_FOREIGN_THAW);
		CHECK_EQ(result.target.index, 0);
		CHECK_EQ(result.nr_frozen, nr - 1);
		CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESTALE);
		result = cycle_result(listener);
		CHECK_EQ(result.event, KFREEZE_EVENT_OVER);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
		CHECK_EQ(result.cause, KFREEZE_CAUSE_FOREIGN_THAW);
	} else {
		writer = writer_start(dirs[0]);
		CHECK(writer_blocks(&writer));
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
		CHECK(writer_ends(&writer, 10000));
		CHECK_EQ(cycle_result(listener).verdict, KFREEZE_VERDICT_OK);
	}
	check_all_writable();
}

TEST(foreign_thaw_loses_the_freeze_or_does_nothing)
{
	check_foreign_thaw(thaw_by_ioctl, DISKS);
}

TEST(emergency_thaw_loses_the_freeze_or_does_nothing)
{
	check_foreign_thaw(thaw_by_sysrq, 1);
}

/* Nobody has been told of the freeze yet: it fails. */
TEST_TIMEOUT(foreign_thaw_during_the_freeze_fails_it_or_does_nothing, 60)
{
	struct client *client = client_open();
	struct client_result result;

	mapped_mount("nobarrier,noinit_itable");
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = MAPPED;
	mapped_hang();
	CHECK_EQ(cycle_request(client, dirs, 2, 20000), 0);
	cycle_await_target(client, 0, KFREEZE_TARGET_FROZEN);
	thaw_by_ioctl();
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		cycle_await(client, KFREEZE_STATE_THAWING);
		CHECK(disk_writable(dirs[0]));
		mapped_resume();
		result = cycle_result(client);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
		CHECK_EQ(result.cause, KFREEZE_CAUSE_FOREIGN_THAW);
		CHECK_EQ(result.target.index, 0);
	} else {
		mapped_resume();
		CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	}
	CHECK(disk_writable(dirs[0]));
	CHECK(disk_writable(MAPPED));
}

/*
 * With holders GFS2 forgets then that it is frozen, and where they are exclusive
 * it withdraws. Neither thaws it, nor does it thaw when asked from then on.
 */
TEST(foreign_thaw_of_gfs2_leaves_it_to_us_to_thaw)
{
	struct client *client = client_open();
	uint32_t holder = client_holder();
	bool withdraws = holder == KFREEZE_HOLDER_EXCL;
	const char *unfit = disk_unfit(DISK_GFS2);
	struct client_result result;
	struct writer writer;
	const char *dir;

	if (unfit)
		SKIP(unfit);
	dir = disk_mount(DISK_GFS2);
	cycle_freeze(client, &dir, 1, 20000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(disk_ioctl(dir, FITHAW), withdraws ? -EINVAL : 0);
	if (holder == KFREEZE_HOLDER_NONE) {
		result = cycle_result(client);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
		CHECK_EQ(result.cause, KFREEZE_CAUSE_FOREIGN_THAW);
	} else {
		CHECK(writer_blocks(&writer));
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	}
	CHECK(withdraws ? writer_fails(&writer, 10000)
			: writer_ends(&writer, 10000));
}

/* Holders nest; without them who comes second is refused. */
TEST(foreign_freeze_during_ours)
{
	struct client *client = client_open();
	struct writer writer;
	int err;

	mount_disks();
	cycle_freeze(client, dirs, 1, 20000);
	err = disk_ioctl(dirs[0], FIFREEZE);
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		CHECK_EQ(err, -EBUSY);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	} else {
		CHECK_EQ(err, 0);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
		writer = writer_start(dirs[0]);
		CHECK(writer_blocks(&writer));
		CHECK_EQ(disk_ioctl(dirs[0], FITHAW), 0);
		CHECK(writer_ends(&writer, 10000));
	}
	check_all_writable();
}

/* Who froze again after a foreign thaw keeps that freeze. */
TEST(foreign_freeze_is_not_ours_to_undo)
{
	struct client *client = client_open();
	struct writer writer;

	mount_disks();
	cycle_freeze(client, dirs, 1, 20000);
	thaw_by_ioctl();
	CHECK_EQ(disk_ioctl(dirs[0], FIFREEZE), 0);
	if (client_holder() == KFREEZE_HOLDER_NONE)
		CHECK_EQ(cycle_result(client).verdict, KFREEZE_VERDICT_LOST);
	else
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	writer = writer_start(dirs[0]);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(disk_ioctl(dirs[0], FITHAW), 0);
	CHECK(writer_ends(&writer, 10000));
}

/*
 * It is under way when we come, and over when we freeze. Without holders that
 * looks as if it had undone ours: we do not believe in ours, but thaw it.
 */
TEST_TIMEOUT(foreign_thaw_just_before_our_freeze_leaves_nothing_frozen, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	struct client_result result;
	pid_t pid;

	mapped_mount("");
	CHECK_EQ(disk_ioctl(dir, FIFREEZE), 0);
	mapped_hang();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(disk_ioctl(dir, FITHAW) ? EXIT_FAILURE : EXIT_SUCCESS);
	while (!process_sleeps_in(pid, "ext4_unfreeze"))
		poll(NULL, 0, 5);
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	while (!workers_wait_to_freeze())
		poll(NULL, 0, 5);
	mapped_resume();
	result = cycle_result(client);
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
		CHECK_EQ(result.error, -EBUSY);
		CHECK_EQ(result.target.step, KFREEZE_STEP_FREEZE);
		CHECK_EQ(result.nr_stuck, 0);
	} else {
		CHECK_EQ(result.state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	}
	CHECK(disk_writable(dir));
}

TEST(freeze_of_a_frozen_filesystem)
{
	struct client *client = client_open();
	struct client_result result;

	mount_disks();
	CHECK_EQ(disk_ioctl(dirs[0], FIFREEZE), 0);
	CHECK_EQ(cycle_request(client, dirs, DISKS, 20000), 0);
	result = cycle_result(client);
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
		CHECK_EQ(result.target.index, 0);
		CHECK_EQ(result.target.error, -EBUSY);
	} else {
		CHECK_EQ(result.state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	}
	CHECK_EQ(disk_ioctl(dirs[0], FITHAW), 0);
	check_all_writable();
}
