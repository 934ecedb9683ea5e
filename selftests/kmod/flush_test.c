// SPDX-License-Identifier: GPL-2.0
/* Flushing gets in nobody's way: in small pieces, each disk on its own. */
#include "cycle.h"
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
#define IMAGE "/tmp/ext4_3/image"

void ktap_setup(void)
{
	trace_setup();
}

void ktap_teardown(void)
{
	trace_teardown();
	umount2(SLOW, 0);
	RUN("sh", "-c", "dmsetup remove slow 2>/dev/null");
	umount2(PARTITION "1", 0);
	umount2(PARTITION "2", 0);
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

struct span {
	double start, end; /* in s */
};

static struct span flush_span(const char *dir)
{
	const char *line, *text;
	struct span span;
	char wanted[64];
	struct stat st;

	CHECK_EQ(stat(dir, &st), 0);
	snprintf(wanted, sizeof(wanted),
		 ": flush: dev=%u:%u level=0 error=0 ns=", major(st.st_dev),
		 minor(st.st_dev));
	text = trace_read(wanted);
	line = strstr(text, wanted);
	while (line > text && line[-1] != ' ')
		line--;
	span.end = strtod(line, NULL);
	span.start = span.end - strtoull(strstr(line, "ns=") + 3, NULL, 10) / 1e9;
	return span;
}

/* The part of the shorter one in which both were under way. */
static double overlap(struct span a, struct span b)
{
	double start = a.start > b.start ? a.start : b.start;
	double end = a.end < b.end ? a.end : b.end;
	double shorter = a.end - a.start < b.end - b.start ? a.end - a.start
							   : b.end - b.start;

	return (end - start) / shorter;
}

static void check_flushes(const char *const dirs[2], const uint32_t *disks,
			  bool in_turn)
{
	struct client *client = client_open();
	int fds[2] = {disk_open(dirs[0]), disk_open(dirs[1])};
	struct client_request request = {.fds = fds, .nr = 2, .disks = disks};
	double part;

	disk_dirty(dirs[0], "dirty", DIRTY);
	disk_dirty(dirs[1], "dirty", DIRTY);
	trace_start("kfreeze");
	CHECK_EQ(client_freeze(client, &request), 0);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	part = overlap(flush_span(dirs[0]), flush_span(dirs[1]));
	printf("# %.0f %% of the time side by side\n", 100 * part);
	CHECK(in_turn ? part < 0.1 : part > 0.2);
	close(fds[0]);
	close(fds[1]);
	client_close(client);
}

TEST(disks_of_which_nothing_is_said_are_flushed_side_by_side)
{
	const char *dirs[2] = {disk_mount(DISK_EXT4), disk_mount(DISK_EXT4_2)};

	check_flushes(dirs, NULL, false);
}

/* Volumes look like disks of their own; who knows better says so. */
TEST(what_is_said_to_share_a_disk_is_flushed_in_turn)
{
	const char *dirs[2] = {disk_mount(DISK_EXT4), disk_mount(DISK_EXT4_2)};

	check_flushes(dirs, (const uint32_t[]){7, 7}, true);
	check_flushes(dirs, (const uint32_t[]){7, 8}, false);
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

TEST(partitions_of_a_disk_are_flushed_in_turn)
{
	static const char *const dirs[2] = {PARTITION "1", PARTITION "2"};
	char device[LOOP_NAME_SIZE];
	int disk;

	disk_mount(DISK_EXT4_3);
	CHECK_EQ(RUN("truncate", "-s", "96M", IMAGE), 0);
	disk = disk_loop(IMAGE, 0, 0, device);
	allow_partitions(disk);
	mount_partition(disk, device, 1);
	mount_partition(disk, device, 2);
	close(disk);
	check_flushes(dirs, NULL, true);
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
