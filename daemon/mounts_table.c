// SPDX-License-Identifier: GPL-2.0
/*
 * The mount table as path lookup sees it: which mount a path leads to, and
 * what it leads through.
 */
#include "mounts_table.h"

#include <libmount/libmount.h>
#include <string.h>

struct libmnt_fs *mounts_table_next(struct libmnt_table *table,
				    struct libmnt_iter *iter)
{
	struct libmnt_fs *fs;

	return mnt_table_next_fs(table, iter, &fs) ? NULL : fs;
}

/* Those that libmount does not know for what they are, too. */
bool mounts_table_is_remote(struct libmnt_fs *fs)
{
	static const char *const types[] = {"afs",  "beegfs", "ceph",	 "coda",
					    "gpfs", "lustre", "orangefs"};
	const char *type = mnt_fs_get_fstype(fs);
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return mnt_fs_is_netfs(fs);
}

bool mounts_table_is_fuse(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);

	return !strcmp(type, "fuse") || !strcmp(type, "fuseblk") ||
	       !strcmp(type, "virtiofs") || !strncmp(type, "fuse.", 5);
}

bool mounts_table_can_hang(struct libmnt_fs *fs)
{
	return mounts_table_is_remote(fs) || mounts_table_is_fuse(fs);
}

/* @top or a path on it: "/a" is beneath "/" and "/a", not "/ab". */
static bool is_beneath(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (len && top[len - 1] == '/')
		len--;
	return !strncmp(path, top, len) &&
	       (path[len] == '/' || path[len] == '\0');
}

/* Of the mounts on top of @current, the first on the way to @path. */
static struct libmnt_fs *next_on_the_way(struct libmnt_table *table,
					 struct libmnt_iter *iter,
					 struct libmnt_fs *current,
					 const char *path)
{
	int id = mnt_fs_get_id(current);
	struct libmnt_fs *fs, *next = NULL;

	mnt_reset_iter(iter, MNT_ITER_FORWARD);
	while ((fs = mounts_table_next(table, iter))) {
		if (fs == current || mnt_fs_get_parent_id(fs) != id ||
		    !is_beneath(path, mnt_fs_get_target(fs)))
			continue;
		if (!next || strlen(mnt_fs_get_target(fs)) <
				     strlen(mnt_fs_get_target(next)))
			next = fs;
	}
	return next;
}

/* The mount at "/" that lies on no other one. libmount's own search does not
 * end if the table is no tree. */
static struct libmnt_fs *find_root(struct libmnt_table *table,
				   struct libmnt_iter *iter)
{
	struct libmnt_fs *fs, *parent;

	mnt_reset_iter(iter, MNT_ITER_FORWARD);
	while ((fs = mounts_table_next(table, iter))) {
		if (strcmp(mnt_fs_get_target(fs), "/"))
			continue;
		parent = mounts_table_find_id(table, mnt_fs_get_parent_id(fs));
		if (!parent || parent == fs)
			break;
	}
	return fs;
}

struct libmnt_fs *mounts_table_find_path(struct libmnt_table *table,
					 const char *path)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	int left = mnt_table_get_nents(table); /* no mount twice */
	struct libmnt_fs *fs = NULL, *next = iter ? find_root(table, iter) : NULL;

	while (next && left-- >= 0) {
		fs = next;
		next = next_on_the_way(table, iter, fs, path);
	}
	mnt_free_iter(iter);
	return fs;
}

struct libmnt_fs *mounts_table_find_id(struct libmnt_table *table, int id)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs = NULL;

	while (iter && (fs = mounts_table_next(table, iter)) &&
	       mnt_fs_get_id(fs) != id)
		;
	mnt_free_iter(iter);
	return fs;
}

bool mounts_table_leads_through_remote(struct libmnt_table *table,
				       struct libmnt_fs *fs)
{
	int id = mnt_fs_get_parent_id(fs), last = mnt_fs_get_id(fs);
	int left = mnt_table_get_nents(table); /* no mount twice */

	while (id != last && left--) {
		last = id;
		fs = mounts_table_find_id(table, id);
		if (!fs)
			break;
		if (mounts_table_can_hang(fs))
			return true;
		id = mnt_fs_get_parent_id(fs);
	}
	return false;
}

bool mounts_table_shows_root(struct libmnt_fs *fs)
{
	const char *root = mnt_fs_get_root(fs);

	return !root || !strcmp(root, "/");
}
