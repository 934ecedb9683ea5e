// SPDX-License-Identifier: GPL-2.0
/* The system sleeps while frozen, or another one is woken up in its place. */
#include "cycle.h"
#include "mapped.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define SYNC "/sys/power/sync_on_suspend"

/* What a hibernated system leaves at the end of the first page of its swap. */
#define PAGE 4096
#define IMAGE "/tmp/image"
#define IMAGE_SIZE (64 * PAGE)
static const char signature[] = "SWAPSPACE2S1SUSPEND";

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	file_write(SYNC, "1");
	disk_umount_all();
}

static void check_thawed_by(struct client *client, int (*sleep_and_wake_up)(void))
{
	const char *dir = disk_mount(DISK_EXT4);
	struct client_result result;
	struct writer writer;

	cycle_freeze(client, &dir, 1, 60000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(sleep_and_wake_up(), 0);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_SUSPEND);
	CHECK(writer_ends(&writer, 10000));

	/* and after it, all is as before */
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* Only as far as freezing the tasks, which blocked writers could stop. */
static void stop_at_tasks(void)
{
	if (file_write("/sys/power/pm_test", "freezer"))
		SKIP("this kernel cannot test its sleep");
	CHECK_EQ(file_write("/sys/module/suspend/parameters/pm_test_delay", "0"),
		 0);
}

static int suspend_to_idle(void)
{
	return file_write("/sys/power/state", "freeze");
}

TEST_TIMEOUT(suspend_thaws, 60)
{
	stop_at_tasks();
	check_thawed_by(client_open(), suspend_to_idle);
}

/* A thaw that hangs keeps the system awake for its grace time. */
TEST_TIMEOUT(nothing_is_frozen_before_suspend, 60)
{
	struct client *client = client_open(), *other = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	const char *hanging = MAPPED;
	int status;
	pid_t pid;

	stop_at_tasks();
	mapped_mount("nobarrier,noinit_itable");
	cycle_freeze(client, &hanging, 1, 60000);
	mapped_hang();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(suspend_to_idle() ? EXIT_FAILURE : EXIT_SUCCESS);
	cycle_await(client, KFREEZE_STATE_THAWING);
	CHECK_EQ(cycle_request(other, &dir, 1, 20000), -EAGAIN);
	CHECK_STREQ(other->text, "the system is about to suspend or reboot");
	mapped_resume();
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	cycle_freeze(other, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(other).verdict, KFREEZE_VERDICT_OK);
}

static int hibernate(void)
{
	return file_write("/sys/power/state", "disk");
}

TEST_TIMEOUT(hibernation_thaws, 60)
{
	stop_at_tasks();
	if (access("/sys/power/disk", F_OK))
		SKIP("this kernel cannot hibernate");
	check_thawed_by(client_open(), hibernate);
}

/*
 * The kernel itself waits for the disk, but only before and after: it syncs
 * before anybody hears of the suspend, and newer ones then look for what they
 * may have frozen, when all tasks go on.
 */
TEST_TIMEOUT(suspend_goes_on_without_a_stuck_freeze, 60)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dirs[2];
	int status, log;
	pid_t pid;

	stop_at_tasks();
	CHECK_EQ(file_write(SYNC, "0"), 0);
	mapped_mount("nobarrier,noinit_itable");
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = MAPPED;
	mapped_hang();
	CHECK_EQ(cycle_request(client, dirs, 2, 60000), 0);
	cycle_await_target(client, 0, KFREEZE_TARGET_FROZEN);
	cycle_await_target(client, 1, KFREEZE_TARGET_FREEZING);
	log = log_open();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(suspend_to_idle() ? EXIT_FAILURE : EXIT_SUCCESS);
	while (!log_says(log, "suspend debug: Waiting"))
		poll(NULL, 0, 5);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_ABORTED);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_SUSPEND);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK(disk_writable(dirs[0]));

	CHECK_EQ(client_listen(client), 0);
	mapped_resume();
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_UNSTUCK);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
	CHECK(disk_writable(MAPPED));
	cycle_freeze(client, dirs, 2, 20000);
}

static char swap[32]; /* MAJOR:MINOR */

static int resume(void)
{
	return file_write("/sys/power/resume", swap);
}

/* There is no more to the image than its signature: it is given up after all
 * tasks were frozen for it. */
TEST_TIMEOUT(wake_up_of_another_system_thaws, 60)
{
	char device[LOOP_NAME_SIZE];
	struct stat st;
	int fd;

	if (access("/sys/power/resume", F_OK))
		SKIP("this kernel cannot hibernate");
	fd = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, IMAGE_SIZE), 0);
	CHECK_EQ(pwrite(fd, signature, sizeof(signature),
			PAGE - sizeof(signature)),
		 sizeof(signature));
	close(fd);
	fd = disk_loop(IMAGE, 0, 0, device);
	CHECK_EQ(stat(device, &st), 0);
	snprintf(swap, sizeof(swap), "%u:%u", major(st.st_rdev),
		 minor(st.st_rdev));
	check_thawed_by(client_open(), resume);
	close(fd);
	unlink(IMAGE);
}
