// SPDX-License-Identifier: GPL-2.0
/* The system sleeps while frozen, or another one is woken up in its place. */
#include "cycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"

/* What a hibernated system leaves at the end of the first page of its swap. */
#define PAGE 4096
#define IMAGE "/tmp/image"
#define IMAGE_SIZE (64 * PAGE)
static const char signature[] = "SWAPSPACE2S1SUSPEND";

void ktap_teardown(void)
{
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
