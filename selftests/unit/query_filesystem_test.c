// SPDX-License-Identifier: GPL-2.0
/* Filesystems of made-up mount tables, and the disks beneath them. */
/* link: query_filesystem query_address query_child query_file query */
/* link: mounts_local mounts_table */
/* libs: mount */
#include "query_harness.h"

#include "query_filesystem.h"

#define PCI "sys/devices/pci0000:00/0000:00:02.0/"
#define VIRTUAL "sys/devices/virtual/block/"

static void add_disk(const char *path, const char *name, const char *dev)
{
	char file[PATH_MAX], content[64];

	snprintf(file, sizeof(file), "%s/uevent", path);
	snprintf(content, sizeof(content), "DEVNAME=%s\n", name);
	tree_file(file, content);
	snprintf(file, sizeof(file), "sys/dev/block/%s", dev);
	tree_link(file, path);
}

static void check_filesystem(size_t index, const char *name,
			     const char *mountpoint, const char *type)
{
	CHECK(index < nr_records);
	CHECK_EQ(records[index].kind, QUERY_FILESYSTEM);
	CHECK_STREQ(records[index].filesystem.name, name);
	CHECK_STREQ(records[index].filesystem.mountpoint, mountpoint);
	CHECK_STREQ(records[index].filesystem.type, type);
}

static void check_address(size_t index, const char *dev)
{
	CHECK(index < nr_records);
	CHECK_EQ(records[index].kind, QUERY_ADDRESS);
	CHECK_STREQ(records[index].address.dev, dev);
}

TEST(each_once_and_newest_first)
{
	tree_start();
	tree_file("proc/self/mountinfo",
		  "20 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
		  "21 20 0:5 / /proc rw - proc proc rw\n"
		  "22 20 254:16 / /srv/with\\040space rw - xfs /dev/vdb rw\n"
		  "23 20 254:1 /var /mnt/bind rw - ext4 /dev/vda1 rw\n"
		  "24 20 0:40 / /net rw - nfs4 server:/x rw\n"
		  "25 20 0:41 / /tmp rw - tmpfs tmpfs rw\n");
	add_disk(PCI "virtio0/block/vda/vda1", "vda1", "254:1");
	add_disk(PCI "virtio1/block/vdb", "vdb", "254:16");
	tree_directory("srv/with space");
	CHECK_EQ(query_filesystem_all(&child), 0);
	CHECK_EQ(nr_records, 4);
	check_filesystem(0, "vdb", "/srv/with space", "xfs");
	check_address(1, "/dev/vdb");
	check_filesystem(2, "vda1", "/", "ext4");
	check_address(3, "/dev/vda1");
	/* of the filesystem that the tree is on */
	CHECK_EQ(records[0].filesystem.has_sizes, 1);
	CHECK(records[0].filesystem.used_bytes > 0);
	CHECK(records[0].filesystem.total_bytes >=
	      records[0].filesystem.used_bytes);
	CHECK(records[0].filesystem.total_bytes_privileged >=
	      records[0].filesystem.total_bytes);
}

TEST(virtual_devices_are_what_they_lie_on)
{
	tree_start();
	tree_file("proc/self/mountinfo",
		  "20 1 253:0 / / rw - ext4 /dev/mapper/x rw\n"
		  "21 20 7:0 / /loop rw - ext4 /dev/loop0 rw\n");
	add_disk(VIRTUAL "dm-0", "dm-0", "253:0");
	add_disk(VIRTUAL "md0", "md0", "9:0");
	add_disk(VIRTUAL "loop0", "loop0", "7:0");
	add_disk(PCI "virtio0/block/vda", "vda", "254:0");
	add_disk(PCI "virtio1/block/vdb", "vdb", "254:16");
	add_disk(PCI "virtio2/block/vdc", "vdc", "254:32");
	tree_link(VIRTUAL "dm-0/slaves/md0", VIRTUAL "md0");
	tree_link(VIRTUAL "dm-0/slaves/vdc", PCI "virtio2/block/vdc");
	tree_link(VIRTUAL "md0/slaves/vda", PCI "virtio0/block/vda");
	tree_link(VIRTUAL "md0/slaves/vdb", PCI "virtio1/block/vdb");
	CHECK_EQ(query_filesystem_all(&child), 0);
	CHECK_EQ(nr_records, 5);
	check_filesystem(0, "loop0", "/loop", "ext4");
	check_filesystem(1, "dm-0", "/", "ext4");
	check_address(2, "/dev/vda");
	check_address(3, "/dev/vdb");
	check_address(4, "/dev/vdc");
}

TEST(devices_in_a_circle_are_an_error)
{
	tree_start();
	tree_file("proc/self/mountinfo",
		  "20 1 253:0 / / rw - ext4 /dev/mapper/x rw\n");
	add_disk(VIRTUAL "dm-0", "dm-0", "253:0");
	tree_link(VIRTUAL "dm-0/slaves/dm-0", VIRTUAL "dm-0");
	CHECK_EQ(query_filesystem_all(&child), -ELOOP);
	CHECK_STREQ(child.text, "/sys/devices/virtual/block/dm-0: is too deep");
}

TEST(device_unknown_to_sysfs_has_its_number)
{
	tree_start();
	tree_file("proc/self/mountinfo",
		  "20 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
	CHECK_EQ(query_filesystem_all(&child), 0);
	CHECK_EQ(nr_records, 1);
	check_filesystem(0, "254:1", "/", "ext4");
}

/* Hidden, beneath fuse, or fuse itself. */
TEST(sizes_only_of_what_can_be_reached)
{
	size_t i;

	tree_start();
	tree_file("proc/self/mountinfo",
		  "20 1 0:30 / / rw - tmpfs none rw\n"
		  "21 20 254:0 / /a rw - ext4 /dev/vda rw\n"
		  "22 21 0:40 / /a rw - nfs4 server:/x rw\n"
		  "23 20 0:41 / /b rw - fuse.sshfs x rw\n"
		  "24 23 254:16 / /b/c rw - ext4 /dev/vdb rw\n"
		  "25 20 254:32 / /d rw - fuseblk /dev/vdc rw\n");
	tree_directory("a");
	tree_directory("b/c");
	tree_directory("d");
	CHECK_EQ(query_filesystem_all(&child), 0);
	CHECK_EQ(nr_records, 3);
	for (i = 0; i < 3; i++)
		CHECK_EQ(records[i].filesystem.has_sizes, 0);
	query.fstrim.minimum = 0;
	CHECK_EQ(query_filesystem_trim(&child), 0);
	CHECK_EQ(nr_records, 6);
	for (i = 3; i < 6; i++)
		CHECK_STREQ(records[i].trimmed.error,
			    "failed to open: it cannot be reached");
}

TEST(no_mount_table_is_an_error)
{
	tree_start();
	CHECK(query_filesystem_all(&child) < 0);
	CHECK(strstr(child.text, "failed to open mtab file: '") == child.text);
}
