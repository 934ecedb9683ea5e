// SPDX-License-Identifier: GPL-2.0
/* libmount's table -> the first mount of every filesystem with a disk. */
#include "mounts_local.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mounts_table.h"

struct list {
	struct libmnt_table *table;
	struct mounts_local *mounts;
	size_t nr;
};

/* The kernel makes a number up for btrfs, which may have many devices. */
static dev_t block_device(struct libmnt_fs *fs)
{
	const char *source = mnt_fs_get_source(fs);
	dev_t dev = mnt_fs_get_devno(fs);
	struct stat st;

	if (major(dev))
		return dev;
	if (strcmp(mnt_fs_get_fstype(fs), "btrfs") || !source ||
	    strncmp(source, "/dev/", 5) || stat(source, &st) ||
	    !S_ISBLK(st.st_mode))
		return 0;
	return st.st_rdev;
}

static bool is_listed(const struct list *list, dev_t dev)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		if (list->mounts[i].dev == dev)
			return true;
	}
	return false;
}

static bool is_reachable(struct libmnt_table *table, struct libmnt_fs *fs)
{
	return !mounts_table_can_hang(fs) &&
	       !mounts_table_leads_through_remote(table, fs) &&
	       mounts_table_find_path(table, mnt_fs_get_target(fs)) == fs;
}

static int fill(struct list *list)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	dev_t dev;

	list->mounts = calloc(mnt_table_get_nents(list->table) + 1,
			      sizeof(*list->mounts));
	if (!iter || !list->mounts) {
		mnt_free_iter(iter);
		return -ENOMEM;
	}
	while ((fs = mounts_table_next(list->table, iter))) {
		dev = block_device(fs);
		if (!dev || is_listed(list, dev))
			continue;
		list->mounts[list->nr++] = (struct mounts_local){
			.path = mnt_fs_get_target(fs),
			.fstype = mnt_fs_get_fstype(fs),
			.dev = dev,
			.is_reachable = is_reachable(list->table, fs),
		};
	}
	mnt_free_iter(iter);
	return 0;
}

int mounts_local_each(const char *mountinfo,
		      int (*visit)(void *data, const struct mounts_local *mount),
		      void *data)
{
	struct list list = {.table = mnt_new_table()};
	int err = list.table ? mnt_table_parse_file(list.table, mountinfo)
			     : -ENOMEM;

	if (err > 0) /* libmount's own codes */
		err = -EINVAL;
	if (!err)
		err = fill(&list);
	while (!err && list.nr)
		err = visit(data, &list.mounts[--list.nr]);
	free(list.mounts);
	mounts_table_free(list.table);
	return err;
}
