// SPDX-License-Identifier: GPL-2.0
/* LVM freezes a filesystem too, to take a snapshot: before, during, after. */
#include "cycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ktap.h"

#define IMAGE "/tmp/volumes"
#define IMAGE_SIZE (64 << 20)
#define ORIGIN "/dev/vg/origin"
#define SNAPSHOT "/dev/vg/copy"
#define DIR "/tmp/origin"
#define COPY "/tmp/copy"

/* There is no udev to wait for; LVM is to look at our device only. */
#define CONFIGURATION                                      \
	"global { locking_dir = \"/run/lock/lvm\" }\n"     \
	"activation { udev_sync = 0 udev_rules = 0 "       \
	"monitoring = 0 }\n"                               \
	"devices { filter = [\"a|/dev/loop|\", \"r|.*|\"]" \
	" use_devicesfile = 0 }\n"

#define LVM(...) RUN("lvm", __VA_ARGS__)

void ktap_setup(void)
{
	int fd;

	setenv("DM_DISABLE_UDEV", "1", 1);
	setenv("LVM_SUPPRESS_FD_WARNINGS", "1", 1);
	setenv("LVM_SYSTEM_DIR", "/run/lvm.d", 1);
	mkdir("/run/lvm.d", 0755);
	mkdir("/run/lock", 0755);
	fd = open("/run/lvm.d/lvm.conf", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (write(fd, CONFIGURATION, strlen(CONFIGURATION)) < 0)
		perror("lvm.conf");
	close(fd);
}

void ktap_teardown(void)
{
	umount2(COPY, MNT_DETACH);
	while (umount2(DIR, 0) == 0)
		;
	RUN("sh", "-c", "dmsetup remove_all --force 2>/dev/null; rm -rf /dev/vg");
	unlink(IMAGE);
}

/* A logical volume of half the group, with a filesystem. */
static void mount_origin(void)
{
	char device[LOOP_NAME_SIZE];
	int fd;

	fd = open(IMAGE, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK_EQ(ftruncate(fd, IMAGE_SIZE), 0);
	close(fd);
	fd = disk_loop(IMAGE, 0, 0, device);
	CHECK_EQ(LVM("vgcreate", "-qq", "-s", "1m", "vg", device), 0);
	CHECK_EQ(LVM("lvcreate", "-qq", "-Wn", "-L", "32m", "-n", "origin", "vg"),
		 0);
	close(fd);
	CHECK_EQ(RUN("mke2fs", "-q", "-t", "ext4", ORIGIN), 0);
	disk_mount_device(ORIGIN, "ext4", "", DIR);
}

/* Its exit status. */
static int take_snapshot(void)
{
	return LVM("lvcreate", "-qq", "-s", "-L", "16m", "-n", "copy", ORIGIN);
}

/* Without a write: that is what a freeze is for. */
static void check_snapshot(void)
{
	CHECK_EQ(mkdir(COPY, 0755), 0);
	CHECK_EQ(mount(SNAPSHOT, COPY, "ext4", MS_RDONLY, "noload"), 0);
	CHECK(disk_readable(COPY));
	CHECK_EQ(umount2(COPY, 0), 0);
	CHECK_EQ(rmdir(COPY), 0);
}

TEST_TIMEOUT(snapshot_before_a_freeze, 60)
{
	struct client *client = client_open();
	const char *dir = DIR;
	struct writer writer;

	mount_origin();
	CHECK_EQ(take_snapshot(), 0);
	cycle_freeze(client, &dir, 1, 20000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
	check_snapshot();
}

/*
 * Before 6.6 a filesystem has one freeze, and who comes second is refused: LVM
 * then asks for its administrator.
 */
TEST_TIMEOUT(snapshot_during_a_freeze, 60)
{
	bool refused = client_holder() == KFREEZE_HOLDER_NONE;
	struct client *client = client_open();
	const char *dir = DIR;
	struct writer writer;

	mount_origin();
	cycle_freeze(client, &dir, 1, 60000);
	CHECK_EQ(take_snapshot() != 0, refused);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
	if (!refused)
		check_snapshot();
}

TEST_TIMEOUT(snapshot_after_a_freeze, 60)
{
	struct client *client = client_open();
	const char *dir = DIR;

	mount_origin();
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(take_snapshot(), 0);
	check_snapshot();
	CHECK(disk_writable(dir));
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}
