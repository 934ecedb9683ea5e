// SPDX-License-Identifier: GPL-2.0
/*
 * Targets are opened through any mount of theirs that can be reached. In a
 * mount namespace of others nothing that goes wrong is an error of ours.
 */
#include "mounts.h"

#include <errno.h>
#include <libmount/libmount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts_namespace.h"
#include "mounts_table.h"
#include "mounts_walk.h"

enum pass {
	PASS_WHOLE, /* a mount that shows the root directory */
	PASS_PART, /* any directory or regular file of it */
	PASS_SPECIAL, /* a socket or device bind-mounted from it */
	NR_PASSES,
};

static bool is_directory_or_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode));
}

/* A descriptor, or -ENOENT if the path leads to something else. */
static int open_mount(const struct mounts_namespace *namespace,
		      struct libmnt_fs *fs, enum pass pass)
{
	int fd, id;

	fd = mounts_walk(namespace, mnt_fs_get_target(fs), &id);
	if (fd < 0)
		return fd;
	if (id == mnt_fs_get_id(fs) &&
	    (pass == PASS_SPECIAL || is_directory_or_file(fd)))
		return fd;
	close(fd);
	return -ENOENT;
}

static int use_mount(struct mounts *mounts, struct mounts_target *target,
		     struct libmnt_fs *fs, int fd)
{
	const char *path = mounts_name_path(mounts, target->namespace, fs);

	target->fd = fd;
	if (!path)
		return -ENOMEM;
	target->path = path;
	if (mnt_fs_get_source(fs))
		target->source = mnt_fs_get_source(fs);
	return 0;
}

/* Why a mount could not be opened; *@err is set if that is an error. */
static const char *explain(const struct mounts_namespace *namespace,
			   int open_err, int *err)
{
	if (open_err == -EREMOTE)
		return "beneath a network or fuse mount";
	if (open_err == -ENOENT || open_err == -ENOTDIR)
		return "unmounted meanwhile";
	if (!*namespace->root)
		*err = open_err;
	return "cannot be opened in its mount namespace";
}

/* By the mount that names it, as most are: no search of the table. */
static bool open_by_name(struct mounts_target *target,
			 const struct mounts_namespace *namespace)
{
	int fd;

	if (!mounts_table_shows_root(target->fs) ||
	    mounts_table_find_path(namespace->table,
				   mnt_fs_get_target(target->fs)) != target->fs)
		return false;
	fd = open_mount(namespace, target->fs, PASS_WHOLE);
	if (fd < 0)
		return false;
	target->fd = fd;
	return true;
}

/* Open a target through any of its mounts. A reason to skip it, or NULL and
 * then *@err. */
static const char *open_target(struct mounts *mounts,
			       struct mounts_target *target,
			       struct libmnt_iter *iter, int *err)
{
	const struct mounts_namespace *namespace =
		&mounts->namespaces[target->namespace];
	struct libmnt_table *table = namespace->table;
	const char *reason = "hidden under another mount";
	struct libmnt_fs *fs;
	enum pass pass;
	int fd;

	*err = 0;
	if (open_by_name(target, namespace))
		return NULL;
	for (pass = 0; pass < NR_PASSES; pass++) {
		mnt_reset_iter(iter, MNT_ITER_FORWARD);
		while ((fs = mounts_table_next(table, iter))) {
			if (mnt_fs_get_devno(fs) != target->dev ||
			    (pass == PASS_WHOLE && !mounts_table_shows_root(fs)) ||
			    mounts_table_find_path(table,
						   mnt_fs_get_target(fs)) != fs)
				continue;
			fd = open_mount(namespace, fs, pass);
			if (fd >= 0) {
				*err = use_mount(mounts, target, fs, fd);
				return NULL;
			}
			reason = explain(namespace, fd, err);
		}
	}
	return *err ? NULL : reason;
}

int mounts_open(struct mounts *mounts, char text[MOUNTS_TEXT_MAX])
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct mounts_target *target;
	const char *reason;
	size_t i, nr = 0;
	int err = iter ? 0 : -ENOMEM;

	*text = '\0';
	for (i = 0; !err && i < mounts->nr_targets; i++) {
		target = &mounts->targets[i];
		reason = open_target(mounts, target, iter, &err);
		if (err)
			snprintf(text, MOUNTS_TEXT_MAX, "%s (%s): open: %s",
				 target->path, target->source, strerror(-err));
		else if (reason)
			mounts_add_skip(mounts, target->path, target->fstype,
					reason);
		else
			mounts->targets[nr++] = *target;
	}
	mnt_free_iter(iter);
	if (err && !*text)
		snprintf(text, MOUNTS_TEXT_MAX, "cannot open targets: %s",
			 strerror(-err));
	mounts->nr_targets = nr;
	return err;
}
