// SPDX-License-Identifier: GPL-2.0
/* Flushing gets in nobody's way: in small pieces, each disk on its own. */
#include "cycle.h"
#include "mapped.h"
#include "trace.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"

#define MIB (1 << 20)
#define DIRTY (16 * MIB)
#define SECTOR 512
/* Two chunks of 128 KiB are under way, and some metadata. */
#define GENTLE (512 << 10)
#define SLOW "/tmp/slow"
#define PARTITION "/tmp/partition"
#define IMAGE MAPPED "/image"

void ktap_setup(void)
{
	trace_setup();
	mapped_setup();
}

void ktap_teardown(void)
{
	trace_teardown();
	/* what is mounted on it cannot be unmounted while it hangs */
	RUN("sh", "-c", "dmsetup resume mapped 2>/dev/null");
	umount2(SLOW, 0);
	RUN("sh", "-c", "dmsetup remove slow 2>/dev/null");
	umount2(PARTITION "1", 0);
	umount2(PARTITION "2", 0);
	mapped_teardown();
	disk_umount_all();
}

/* Whose device and sectors a line of a block request tells, or 0. */
static long long request_size(const char *line, const char *event,
			      const char *device)
{
	const char *at = strstr(line, event);

	if (!at || strncmp(at + strlen(event), device, strlen(device)))
		return 0;
	at = strstr(at, " + ");
	return at ? strtoll(at + 3, NULL, 10) * SECTOR : 0;
}

/* The most that was on its way to the disk of @dir at a time, in bytes. */
static long long most_under_way(const char *dir)
{
	long long now = 0, most = 0;
	char device[32], *text, *line, *rest;
	struct stat st;

	CHECK_EQ(stat(dir, &st), 0);
	snprintf(device, sizeof(device), " %u,%u ", major(st.st_dev),
		 minor(st.st_dev));
	text = strdup(trace_read("block_rq_complete:"));
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		now += request_size(line, "block_rq_issue:", device);
		now -= request_size(line, "block_rq_complete:", device);
		most = now > most ? now : most;
	}
	free(text);
	return most;
}

TEST(flush_leaves_room_in_the_queue_of_the_disk)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	long long most;

	disk_dirty(dir, "dirty", DIRTY);
	trace_start("block/block_rq_issue");
	trace_start("block/block_rq_complete");
	cycle_freeze(client, &dir, 1, 20000);
	most = most_under_way(dir);
	printf("# %lld KiB under way at most\n", most >> 10);
	CHECK(most > 0);
	CHECK(most <= GENTLE);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);

	/* what a sync does, so that it is known to be seen */
	disk_dirty(dir, "more", DIRTY);
	trace_start("block/block_rq_issue");
	CHECK_EQ(RUN("sync", "-f", dir), 0);
	most = most_under_way(dir);
	printf("# %lld KiB under way at most in a sync\n", most >> 10);
	CHECK(most > GENTLE);
}

/*
 * FREEZE three filesystems of which the first cannot be flushed. When the third
 * one, on a disk of its own, has been, the second one waits or not.
 */
static void check_second(const char *const dirs[3], const uint32_t *disks,
			 enum kfreeze_target_state wanted)
{
	struct client *client = client_open();
	struct client_request request = {.nr = 3, .disks = disks};
	struct client_result messages[4];
	int fds[3], i;

	for (i = 0; i < 3; i++) {
		disk_dirty(dirs[i], "dirty", MIB);
		fds[i] = disk_open(dirs[i]);
	}
	mapped_hang();
	request.fds = fds;
	CHECK_EQ(client_freeze(client, &request), 0);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	cycle_await_target(client, 2, KFREEZE_TARGET_FLUSHED);
	if (wanted != KFREEZE_TARGET_PENDING)
		cycle_await_target(client, 1, wanted);
	CHECK_EQ(client_status(client, messages, 4), 4);
	CHECK_EQ(messages[1].target.state, KFREEZE_TARGET_FLUSHING);
	CHECK_EQ(messages[2].target.state, wanted);
	mapped_resume();
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST_TIMEOUT(disks_are_flushed_side_by_side, 60)
{
	const char *dirs[3] = {MAPPED, disk_mount(DISK_EXT4),
			       disk_mount(DISK_EXT4_2)};

	mapped_mount("");
	check_second(dirs, NULL, KFREEZE_TARGET_FLUSHED);
}

/* Volumes look like disks of their own; who knows better says so. */
TEST_TIMEOUT(what_is_said_to_share_a_disk_is_flushed_in_turn, 60)
{
	static const uint32_t disks[3] = {7, 7, 8};
	const char *dirs[3] = {MAPPED, disk_mount(DISK_EXT4),
			       disk_mount(DISK_EXT4_2)};

	mapped_mount("");
	check_second(dirs, disks, KFREEZE_TARGET_PENDING);
}

/* It takes none until it is told to look for them. */
static void allow_partitions(int disk)
{
	struct loop_info64 info;

	CHECK_EQ(ioctl(disk, LOOP_GET_STATUS64, &info), 0);
	info.lo_flags |= LO_FLAGS_PARTSCAN;
	CHECK_EQ(ioctl(disk, LOOP_SET_STATUS64, &info), 0);
}

static void mount_partition(int disk, const char *device, int nr)
{
	struct blkpg_partition partition = {
		.pno = nr,
		.start = (long long)nr * 32 * MIB,
		.length = 32 * MIB,
	};
	struct blkpg_ioctl_arg request = {
		.op = BLKPG_ADD_PARTITION,
		.datalen = sizeof(partition),
		.data = &partition,
	};
	char node[32], dir[32];

	CHECK_EQ(ioctl(disk, BLKPG, &request), 0);
	snprintf(node, sizeof(node), "%sp%d", device, nr);
	snprintf(dir, sizeof(dir), PARTITION "%d", nr);
	CHECK_EQ(RUN("mke2fs", "-q", "-t", "ext4", node), 0);
	disk_mount_device(node, "ext4", "", dir);
}

TEST_TIMEOUT(partitions_of_a_disk_are_flushed_in_turn, 60)
{
	const char *dirs[3] = {PARTITION "1", PARTITION "2",
			       disk_mount(DISK_EXT4_2)};
	char device[LOOP_NAME_SIZE];
	int disk;

	mapped_mount("");
	CHECK_EQ(RUN("truncate", "-s", "96M", IMAGE), 0);
	disk = disk_loop(IMAGE, 0, 0, device);
	allow_partitions(disk);
	mount_partition(disk, device, 1);
	mount_partition(disk, device, 2);
	close(disk);
	check_second(dirs, NULL, KFREEZE_TARGET_PENDING);
}

/* XFS, each of whose writes takes a while. False if that cannot be had. */
static bool mount_slow(void)
{
	const char *device = disk_device(DISK_XFS);
	char command[160];

	snprintf(command, sizeof(command),
		 "modprobe -q dm-delay; dmsetup create slow --table "
		 "\"0 $(blockdev --getsz %s) delay %s 0 20\"",
		 device, device);
	if (RUN("sh", "-c", command))
		return false;
	disk_mount_device("/dev/mapper/slow", "xfs", "", SLOW);
	return true;
}

static _Noreturn void rewrite_for_ever(const char *path, const char *page)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* at the end of what the kernel may keep, and find, as one */
	while (pwrite(fd, page, 4096, MIB - 4096) == 4096)
		;
	_exit(EXIT_FAILURE);
}

/* Large writes make large folios, which are dirty again before they are written. */
TEST_TIMEOUT(flush_gets_past_what_is_being_written, 60)
{
	static const char path[] = SLOW "/rewritten";
	static char block[MIB];
	struct client *client = client_open();
	const char *dir = SLOW;
	int fd, i;
	pid_t pid;

	if (!mount_slow())
		SKIP("this kernel has no devices that delay");
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	for (i = 0; i < 4; i++)
		CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
	close(fd);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		rewrite_for_ever(path, block);
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}
