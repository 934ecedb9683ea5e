// SPDX-License-Identifier: GPL-2.0
/* Where a path of this machine leads, with a table that says otherwise. */
/* link: mounts_namespace mounts_table mounts_walk */
/* libs: mount */
#include "ktap.h"

#include <fcntl.h>
#include <libmount/libmount.h>
#include <sys/stat.h>

#include "mounts_namespace.h"
#include "mounts_table.h"
#include "mounts_walk.h"

static struct mounts_namespace own = {.root_fd = -1};

/* This machine's table, but the mount at /proc is of another type or, with
 * NULL, missing. */
static void read_table(const char *type)
{
	struct libmnt_fs *fs;

	own.table = mnt_new_table_from_file("/proc/self/mountinfo");
	CHECK(own.table);
	if (!mnt_table_find_target(own.table, "/", MNT_ITER_BACKWARD))
		SKIP("/ is no mount: a chroot");
	fs = mnt_table_find_target(own.table, "/proc", MNT_ITER_BACKWARD);
	CHECK(fs);
	if (type)
		CHECK_EQ(mnt_fs_set_fstype(fs, type), 0);
	else
		CHECK_EQ(mnt_table_remove_fs(own.table, fs), 0);
}

static int walk(const char *path)
{
	int id, fd = mounts_walk(&own, path, &id);

	if (fd >= 0)
		close(fd);
	mounts_namespace_free(&own);
	return fd < 0 ? fd : 0;
}

TEST(leads_to_the_mount_that_is_there)
{
	int fd, id;

	read_table("proc");
	fd = mounts_walk(&own, "/proc", &id);
	CHECK(fd >= 0);
	CHECK_STREQ(mnt_fs_get_target(mounts_table_find_id(own.table, id)),
		    "/proc");
	close(fd);
	CHECK_EQ(walk("/proc/sys/kernel"), 0);
}

static const struct {
	const char *type; /* of /proc, NULL: not in the table */
	const char *path;
	int err;
} walks[] = {
	{"nfs4", "/proc/sys", -EREMOTE},
	{"fuse.sshfs", "/proc", -EREMOTE},
	{"virtiofs", "/proc/sys/kernel", -EREMOTE},
	{"ceph", "/proc/sys", -EREMOTE},
	{NULL, "/proc/sys", -ENOENT},
	{"proc", "/proc/no-such-name", -ENOENT},
	{"proc", "/proc/self/status", -ENOTDIR}, /* a symbolic link */
	{"proc", "/", 0},
};

TEST(refuses_where_it_could_hang_or_be_led_astray)
{
	size_t i;

	for (i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
		printf("# %s\n", walks[i].path);
		read_table(walks[i].type);
		CHECK_EQ(walk(walks[i].path), walks[i].err);
	}
}

TEST(begins_where_the_process_has_its_root)
{
	int id, fd;

	read_table("proc");
	own.root_fd = open("/proc/sys", O_PATH | O_CLOEXEC);
	strcpy(own.root, "/proc/1/root");
	fd = mounts_walk(&own, "/kernel/hostname", &id);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(walk("/proc"), -ENOENT);
}
