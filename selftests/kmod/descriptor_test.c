// SPDX-License-Identifier: GPL-2.0
/* Which filesystem a descriptor stands for, and which do not do. */
#include "cycle.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ktap.h"

#define FUSE "/tmp/fuse"
#define NO_DEVICE "TARGET_FD is not on a block device filesystem"

void ktap_teardown(void)
{
	umount2(FUSE, 0);
	umount2("/tmp/bind", 0);
	disk_umount_all();
}

/* FREEZE of open descriptors. 0 or -errno. */
static int freeze(struct client *client, const int *fds, int nr)
{
	const struct client_request request = {
		.fds = fds,
		.nr = nr,
		.timeout_ms = 20000,
	};

	return client_freeze(client, &request);
}

TEST(descriptor_must_be_a_block_filesystem)
{
	struct client *client = client_open();
	int dir = disk_open(disk_mount(DISK_EXT4));
	int pipes[2];
	const struct {
		int fd, err;
		const char *text;
	} rows[] = {
		{999, -EBADF, "TARGET_FD is not an open descriptor"},
		{-2, -EBADF, "TARGET_FD is not an open descriptor"},
		{pipe(pipes) ? -1 : pipes[0], -EOPNOTSUPP, NO_DEVICE},
		{disk_open("/tmp"), -EOPNOTSUPP, NO_DEVICE},
		{disk_open("/proc"), -EOPNOTSUPP, NO_DEVICE},
		{open(disk_device(DISK_EXT4), O_RDONLY), -EOPNOTSUPP, NO_DEVICE},
	};
	int fds[] = {dir, 0};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fds[1] = rows[i].fd;
		CHECK_EQ(freeze(client, fds, 2), rows[i].err);
		CHECK_STREQ(client->text, rows[i].text);
	}
	CHECK(disk_writable("/tmp/ext4"));
}

/* Its own superblock has no device: who wants it frozen names the one below. */
TEST(overlay_is_not_a_block_filesystem)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	int fd;

	CHECK_EQ(RUN("mkdir", "-p", "/tmp/ext4/upper", "/tmp/ext4/work",
		     "/tmp/overlay"),
		 0);
	CHECK_EQ(RUN("mount", "-t", "overlay", "-o",
		     "lowerdir=/root,upperdir=/tmp/ext4/upper,"
		     "workdir=/tmp/ext4/work",
		     "overlay", "/tmp/overlay"),
		 0);
	fd = disk_open("/tmp/overlay");
	CHECK_EQ(freeze(client, &fd, 1), -EOPNOTSUPP);
	CHECK_STREQ(client->text, NO_DEVICE);
	close(fd);
	disk_umount("/tmp/overlay", false);
	CHECK(disk_writable(dir));
}

TEST(same_filesystem_twice_is_an_error)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	int fds[] = {disk_open(dir), 0};

	mkdir("/tmp/bind", 0755);
	CHECK_EQ(RUN("mount", "-o", "bind", dir, "/tmp/bind"), 0);
	fds[1] = disk_open("/tmp/bind");
	CHECK_EQ(freeze(client, fds, 2), -EEXIST);
	CHECK_STREQ(client->text, "the same filesystem as an earlier target");
	close(fds[1]);
	disk_umount("/tmp/bind", false);

	/* nothing of the refused request is left */
	CHECK_EQ(freeze(client, fds, 1), 0);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* It has a device number of its own, as if it were a filesystem. */
static int make_subvolume(const char *top, const char *name)
{
	struct btrfs_ioctl_vol_args args = {0};
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int subvolume;
	struct stat outer, inner;

	snprintf(args.name, sizeof(args.name), "%s", name);
	CHECK_EQ(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args), 0);
	subvolume = openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK_EQ(fstat(fd, &outer), 0);
	CHECK_EQ(fstat(subvolume, &inner), 0);
	CHECK(outer.st_dev != inner.st_dev);
	close(fd);
	return subvolume;
}

TEST(subvolume_stands_for_all_of_its_filesystem)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_BTRFS);
	int fds[] = {disk_open(dir), make_subvolume(dir, "subvolume")};
	struct writer writer;

	CHECK_EQ(freeze(client, fds, 2), -EEXIST);
	CHECK_STREQ(client->text, "the same filesystem as an earlier target");
	CHECK_EQ(freeze(client, &fds[1], 1), 0);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

/* Of a server that never answers: nothing may wait for it. */
static void mount_fuse(const char *device)
{
	char options[96];
	int fd;

	if (RUN("modprobe", "-q", "fuse"))
		SKIP("this kernel has no fuse");
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,blksize=512", fd);
	mkdir(FUSE, 0755);
	CHECK_EQ(mount(device, FUSE, "fuseblk", 0, options), 0);
}

/* It has a block device, and a process below that we may block. */
TEST(fuse_on_a_block_device_is_refused)
{
	struct client *client = client_open();
	int fd;

	mount_fuse(disk_device(DISK_EXT4));
	fd = disk_open(FUSE);
	CHECK_EQ(freeze(client, &fd, 1), -EOPNOTSUPP);
	CHECK_STREQ(client->text, NO_DEVICE);
}

/* A process that has DISK_EXT4 mounted where nobody else sees it. */
static pid_t mount_elsewhere(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQ(unshare(CLONE_NEWNS), 0);
		CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
		disk_mount(DISK_EXT4);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	return pid;
}

TEST(mount_of_another_namespace_will_do)
{
	struct client *client = client_open();
	pid_t pid = mount_elsewhere();
	struct writer writer;
	const char *dir;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, disk_dir(DISK_EXT4));
	dir = path;
	CHECK(access("/tmp/ext4/readme", F_OK) != 0);
	cycle_freeze(client, &dir, 1, 20000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}
