// SPDX-License-Identifier: GPL-2.0
/* /sys/block, as made up here: disks, their partitions, what lies on them. */
/* link: query_disk query_address query_smart query_child query_file query */
#include "query_harness.h"

#include "query_disk.h"

#define PCI "sys/devices/pci0000:00/0000:00:02.0/"
#define VIRTUAL "sys/devices/virtual/block/"

static void add_device(const char *path, const char *name, const char *size)
{
	char file[PATH_MAX], content[64];

	snprintf(file, sizeof(file), "%s/uevent", path);
	snprintf(content, sizeof(content), "DEVNAME=%s\n", name);
	tree_file(file, content);
	snprintf(file, sizeof(file), "%s/size", path);
	tree_file(file, size);
}

static void add_disk(const char *path, const char *name, const char *size)
{
	char entry[PATH_MAX], slaves[PATH_MAX];

	add_device(path, name, size);
	snprintf(slaves, sizeof(slaves), "%s/slaves", path);
	tree_directory(slaves);
	snprintf(entry, sizeof(entry), "sys/block/%s", name);
	tree_link(entry, path);
}

static void check_disk(size_t index, const char *name, const char *alias)
{
	CHECK(index < nr_records);
	CHECK_EQ(records[index].kind, QUERY_DISK);
	CHECK_STREQ(records[index].disk.name, name);
	CHECK_STREQ(records[index].disk.alias, alias);
	CHECK_EQ(records[index].disk.is_partition, 0);
}

static void check_dependency(size_t index, const char *name)
{
	CHECK(index < nr_records);
	CHECK_EQ(records[index].kind, QUERY_DEPENDENCY);
	CHECK_STREQ(records[index].text, name);
}

TEST(disk_with_partitions)
{
	tree_start();
	add_disk(PCI "virtio0/block/vda", "vda", "2048\n");
	add_device(PCI "virtio0/block/vda/vda1", "vda1", "512\n");
	tree_file(PCI "virtio0/block/vda/vda1/partition", "1\n");
	tree_directory(PCI "virtio0/block/vda/queue");
	CHECK_EQ(query_disk_all(&child), 0);
	CHECK_EQ(nr_records, 4);
	check_disk(0, "/dev/vda", "");
	CHECK_EQ(records[1].kind, QUERY_ADDRESS);
	CHECK_STREQ(records[1].address.dev, "/dev/vda");
	CHECK_EQ(records[2].kind, QUERY_DISK);
	CHECK_STREQ(records[2].disk.name, "/dev/vda1");
	CHECK_EQ(records[2].disk.is_partition, 1);
	check_dependency(3, "/dev/vda");
}

TEST(device_mapper_on_two_disks)
{
	tree_start();
	add_disk(VIRTUAL "dm-0", "dm-0", "4096\n");
	tree_file(VIRTUAL "dm-0/dm/name", "vg-data\n");
	add_device(PCI "virtio0/block/vda", "vda", "1\n");
	add_device(PCI "virtio1/block/vdb", "vdb", "1\n");
	tree_link(VIRTUAL "dm-0/slaves/vdb", PCI "virtio1/block/vdb");
	tree_link(VIRTUAL "dm-0/slaves/vda", PCI "virtio0/block/vda");
	CHECK_EQ(query_disk_all(&child), 0);
	CHECK_EQ(nr_records, 3);
	check_disk(0, "/dev/dm-0", "vg-data");
	check_dependency(1, "/dev/vda");
	check_dependency(2, "/dev/vdb");
}

TEST(disks_without_size_or_name_are_left_out)
{
	tree_start();
	add_disk(VIRTUAL "loop0", "loop0", "0\n");
	tree_file(VIRTUAL "odd/size", "8\n");
	tree_link("sys/block/odd", VIRTUAL "odd");
	add_disk(VIRTUAL "loop1", "loop1", "8\n");
	CHECK_EQ(query_disk_all(&child), 0);
	CHECK_EQ(nr_records, 1);
	check_disk(0, "/dev/loop1", "");
}

TEST(no_sysfs_is_an_error)
{
	tree_start();
	CHECK_EQ(query_disk_all(&child), -ENOENT);
	CHECK_STREQ(child.text, "Can't open directory \"/sys/block\": "
				"No such file or directory");
}
