// SPDX-License-Identifier: GPL-2.0
/* Which filesystems a host hears of, from made-up mount tables. */
/* link: mounts_local mounts_table */
/* libs: mount */
#include "ktap.h"

#include <sys/sysmacros.h>

#include "mounts_local.h"

static char seen[1024];

/* "PATH TYPE MAJOR:MINOR" and "!" if it is out of reach; ends at "/stop". */
static int note(void *data, const struct mounts_local *mount)
{
	size_t len = strlen(seen);

	CHECK(data == seen);
	snprintf(seen + len, sizeof(seen) - len, "%s %s %u:%u%s\n", mount->path,
		 mount->fstype, major(mount->dev), minor(mount->dev),
		 mount->is_reachable ? "" : "!");
	return strcmp(mount->path, "/stop") ? 0 : -ECANCELED;
}

static int look(const char *table)
{
	char path[] = "/tmp/kfreeze-mountinfo-XXXXXX";
	int fd = mkstemp(path), err;

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, table, strlen(table)), strlen(table));
	close(fd);
	*seen = '\0';
	err = mounts_local_each(path, note, seen);
	unlink(path);
	return err;
}

TEST(first_mount_of_each_and_newest_first)
{
	CHECK_EQ(look("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		      "21 20 0:5 / /proc rw - proc proc rw\n"
		      "22 20 8:2 / /a\\040b rw - xfs /dev/sda2 rw\n"
		      "23 20 8:1 / /bind rw - ext4 /dev/sda1 rw\n"
		      "24 20 0:30 / /tmp rw - tmpfs tmpfs rw\n"
		      "25 20 0:31 / /o rw - overlay overlay rw\n"),
		 0);
	CHECK_STREQ(seen, "/a b xfs 8:2\n/ ext4 8:1\n");
}

TEST(btrfs_without_a_block_device_is_left_out)
{
	CHECK_EQ(look("20 1 0:20 / / rw - btrfs /dev/null rw\n"
		      "21 20 0:21 / /a rw - btrfs /dev/no/such/disk rw\n"
		      "22 20 0:22 / /b rw - btrfs relative rw\n"),
		 0);
	CHECK_STREQ(seen, "");
}

TEST(what_is_out_of_reach)
{
	CHECK_EQ(look("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		      "21 20 8:2 / /hidden rw - ext4 /dev/sda2 rw\n"
		      "22 21 0:40 / /hidden rw - tmpfs x rw\n"
		      "23 20 0:41 / /nfs rw - nfs4 server:/x rw\n"
		      "24 23 8:3 / /nfs/beneath rw - ext4 /dev/sda3 rw\n"
		      "25 20 8:4 / /fuse rw - fuseblk /dev/sda4 rw\n"),
		 0);
	CHECK_STREQ(seen, "/fuse fuseblk 8:4!\n/nfs/beneath ext4 8:3!\n"
			  "/hidden ext4 8:2!\n/ ext4 8:1\n");
}

TEST(visitor_ends_it)
{
	CHECK_EQ(look("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		      "21 20 8:2 / /stop rw - ext4 /dev/sda2 rw\n"),
		 -ECANCELED);
	CHECK_STREQ(seen, "/stop ext4 8:2\n");
}

TEST(no_table_is_an_error)
{
	CHECK(mounts_local_each("/no/such/table", note, seen) < 0);
}
