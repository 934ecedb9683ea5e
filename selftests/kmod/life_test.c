// SPDX-License-Identifier: GPL-2.0
/* What happens to machines while they are frozen. */
#include "cycle.h"
#include "dm.h"
#include "mapped.h"
#include "module.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define BROKEN "/tmp/broken"
#define GOING "going" /* a mapped device, whose filesystem is unmounted */

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	dm_remove(GOING, disk_dir(DISK_XFS));
	umount2(BROKEN, 0);
	disk_umount_all();
}

TEST(device_that_fails_while_frozen_thaws)
{
	struct client *client = client_open();
	const char *dirs[2] = {disk_mount(DISK_EXT4), MAPPED};
	struct client_result result;
	struct writer writer;

	mapped_mount("");
	cycle_freeze(client, dirs, 2, 20000);
	writer = writer_start(MAPPED);
	CHECK(writer_blocks(&writer));
	mapped_fail();
	result = cycle_thaw(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_THAW);
	CHECK_EQ(result.nr_frozen, 2);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK(disk_writable(dirs[0]));
	/* whether it meets the error depends on what is cached */
	CHECK(writer_ends(&writer, 10000) || writer_fails(&writer, 0));
}

/* The kernel refuses, or else the thaw would find another filesystem. */
TEST(remount_read_only_is_refused_while_frozen)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;

	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), -1);
	CHECK_EQ(errno, EBUSY);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
	CHECK_EQ(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
}

static void mount_image(const char *image)
{
	char device[LOOP_NAME_SIZE];
	int fd = disk_loop(image, 0, 0, device);

	disk_mount_device(device, "vfat", "errors=remount-ro", BROKEN);
	close(fd);
}

/* FAT16: all clusters are free, those of files too. */
static void break_image(const char *image)
{
	int fd = open(image, O_RDWR | O_CLOEXEC);
	unsigned char boot[512];
	size_t start, size;
	char *zeros;

	CHECK_EQ(read(fd, boot, sizeof(boot)), sizeof(boot));
	start = (boot[14] | boot[15] << 8) * sizeof(boot);
	size = (boot[22] | boot[23] << 8) * sizeof(boot);
	CHECK(size);
	zeros = calloc(1, size);
	CHECK_EQ(pwrite(fd, zeros, size - 4, start + 4), size - 4);
	CHECK_EQ(fsync(fd), 0);
	close(fd);
}

/* By an error, which asks nobody. The kernel then forgets whom it locked out. */
TEST(writers_hear_that_it_became_read_only_while_frozen)
{
	static const char image[] = "/tmp/ext4/image";
	struct client *client = client_open();
	const char *dir = BROKEN;
	struct writer writer;
	struct stat st;
	char from[32];

	disk_mount(DISK_EXT4);
	snprintf(from, sizeof(from), "if=%s", disk_device(DISK_VFAT));
	CHECK_EQ(RUN("dd", from, "of=/tmp/ext4/image", "bs=1M"), 0);
	mount_image(image);
	CHECK_EQ(mkdir(BROKEN "/dir", 0755), 0);
	disk_umount(BROKEN, false);
	break_image(image);
	mount_image(image);
	cycle_freeze(client, &dir, 1, 20000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	stat(BROKEN "/dir", &st);
	CHECK_EQ(access(BROKEN, W_OK), -1);
	CHECK_EQ(errno, EROFS);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_fails(&writer, 10000));
	CHECK_EQ(mkdir(BROKEN "/another", 0755), -1);
	CHECK_EQ(errno, EROFS);
}

TEST(sync_of_a_frozen_filesystem_does_not_wait)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);

	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(RUN("timeout", "5", "sync"), 0);
	CHECK_EQ(RUN("timeout", "5", "sync", "-f", dir), 0);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* Who thaws more than is his has to wait for the suspended device. */
static void check_thaws(struct client *client)
{
	struct client_result result = cycle_thaw(client);

	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_stuck, 0);
}

/* Before 6.6 a filesystem has one freeze, and who comes second is refused. */
TEST(device_mapper_suspends_during_a_freeze)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	struct writer writer;

	mapped_mount("");
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(mapped_suspend() != 0, client_holder() == KFREEZE_HOLDER_NONE);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	check_thaws(client);
	if (client_holder() != KFREEZE_HOLDER_NONE) {
		CHECK(writer_blocks(&writer));
		mapped_resume();
	}
	CHECK(writer_ends(&writer, 10000));
}

TEST(freeze_during_a_device_mapper_suspend)
{
	struct client *client = client_open();
	struct client_result result;
	const char *dir = MAPPED;
	struct writer writer;

	mapped_mount("");
	CHECK_EQ(mapped_suspend(), 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	result = cycle_result(client);
	if (client_holder() == KFREEZE_HOLDER_NONE) {
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_FAILED);
		CHECK_EQ(result.target.error, -EBUSY);
		mapped_resume();
	} else {
		CHECK_EQ(result.state, KFREEZE_STATE_FROZEN);
		mapped_resume();
		CHECK(writer_blocks(&writer));
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	}
	CHECK(writer_ends(&writer, 10000));
}

TEST(cycle_undoes_nothing_of_a_device_mapper_suspend)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	struct writer writer;

	mapped_mount("");
	CHECK_EQ(mapped_suspend(), 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	if (cycle_result(client).state == KFREEZE_STATE_FROZEN)
		check_thaws(client);
	CHECK(writer_blocks(&writer));
	mapped_resume();
	CHECK(writer_ends(&writer, 10000));
}

TEST(device_mapper_suspends_after_a_cycle)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	struct writer writer;

	mapped_mount("");
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(mapped_suspend(), 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	mapped_resume();
	CHECK(writer_ends(&writer, 10000));
}

static void await_no_session(void)
{
	struct client *admin = client_new();
	long long until = clock_ms() + CYCLE_PATIENCE_MS;
	struct client_result message;

	while (client_status(admin, &message, 1))
		CHECK(clock_ms() < until);
	client_close(admin);
}

/* XFS does no I/O to thaw, but the final umount that its thaw leads to does. */
TEST_TIMEOUT(stuck_final_umount_keeps_nobody, 60)
{
	struct client *client = client_open();
	const char *dirs[2] = {disk_dir(DISK_XFS), disk_mount(DISK_EXT4)};
	struct client_result result;
	long long start;

	dm_create(GOING, disk_device(DISK_XFS));
	disk_mount_device(DM_DIR GOING, "xfs", "", dirs[0]);
	cycle_freeze(client, dirs, 2, 20000);
	disk_umount(dirs[0], true);
	dm_hang(GOING);
	start = clock_ms();
	result = cycle_thaw(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_frozen, 2);
	CHECK_EQ(result.nr_stuck, 0);
	cycle_freeze(client, dirs + 1, 1, 20000);
	CHECK(clock_ms() - start < 3000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);

	/* the umount is the module's, which stays until it has ended */
	client_close(client);
	await_no_session();
	CHECK_EQ(module_remove(), -EWOULDBLOCK);
	dm_resume(GOING);
	CHECK(module_unload());
	CHECK_EQ(RUN("dmsetup", "remove", GOING), 0);
	module_load();
}

/* Freeze, tell, then crash; with a core on the frozen disk or without. */
static pid_t crash_start(const char *dir, bool dumpable, int *told)
{
	struct rlimit core = {RLIM_INFINITY, RLIM_INFINITY};
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
	setrlimit(RLIMIT_CORE, &core);
	prctl(PR_SET_DUMPABLE, dumpable);
	client = client_open();
	cycle_freeze(client, &dir, 1, 1500);
	CHECK_EQ(write(ends[1], "x", 1), 1);
	abort();
}

static long long crash_to_thaw_ms(bool dumpable)
{
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;
	long long start;
	char byte;
	int told;
	pid_t pid;

	CHECK_EQ(file_write("/proc/sys/kernel/core_pattern", "/tmp/ext4/core"),
		 0);
	pid = crash_start(dir, dumpable, &told);
	CHECK_EQ(read(told, &byte, 1), 1);
	start = clock_ms();
	writer = writer_start(dir);
	CHECK(writer_ends(&writer, 20000));
	waitpid(pid, NULL, 0);
	return clock_ms() - start;
}

TEST(owner_that_dumps_core_is_thawed_at_the_deadline)
{
	long long ms = crash_to_thaw_ms(true);

	CHECK(ms > 1200);
	CHECK(ms < 5000);
}

TEST(owner_that_is_not_dumpable_is_thawed_at_once)
{
	CHECK(crash_to_thaw_ms(false) < 1000);
}

/* Generic netlink waits for nobody: not for us, nor do others for it. */
TEST_TIMEOUT(other_families_register_during_a_stuck_freeze, 60)
{
	struct client *client = client_open();
	struct pollfd answer = {.fd = client_fd(client), .events = POLLIN};
	const char *dir = MAPPED;
	struct client *other;

	mapped_mount("nobarrier,noinit_itable");
	mapped_hang();
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	CHECK_EQ(RUN("modprobe", "nbd"), 0);
	other = client_open();
	CHECK_EQ(client_command(other, KFREEZE_CMD_INFO), 0);
	CHECK_EQ(poll(&answer, 1, 0), 0); /* still stuck */
	mapped_resume();
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	RUN("rmmod", "nbd");
}
