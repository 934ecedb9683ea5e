// SPDX-License-Identifier: GPL-2.0
/*
 * One name at a time: what a mount hides is looked up only after it is known
 * whose mount it is. In a container anybody may mount a fuse filesystem, at
 * any moment, and never answer.
 */
#include "mounts_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts_namespace.h"
#include "mounts_table.h"

static int read_mount_id(int fd, int *id)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx))
		return -errno;
	*id = stx.stx_mnt_id;
	return 0;
}

/* Whether names may be looked up in the mount that was reached. */
static int check_mount(const struct mounts_namespace *namespace, int id)
{
	struct libmnt_fs *fs = mounts_table_find_id(namespace->table, id);

	if (!fs)
		return -ENOENT;
	return mounts_table_can_hang(fs) ? -EREMOTE : 0;
}

/* The next name of *@path, or false at its end. */
static bool next_name(const char **path, char name[NAME_MAX + 1])
{
	size_t len;

	*path += strspn(*path, "/");
	len = strcspn(*path, "/");
	if (!len || len > NAME_MAX)
		return false;
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len;
	return true;
}

static int open_root(const struct mounts_namespace *namespace)
{
	int fd;

	if (!*namespace->root)
		fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		fd = fcntl(namespace->root_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* *@fd becomes the one of @name in it. */
static int step(const struct mounts_namespace *namespace, int *fd, int *id,
		const char *name)
{
	int next, previous = *id, err;

	next = openat(*fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return -errno;
	close(*fd);
	*fd = next;
	err = read_mount_id(next, id);
	if (!err && *id != previous)
		err = check_mount(namespace, *id);
	return err;
}

int mounts_walk(const struct mounts_namespace *namespace, const char *path,
		int *mount_id)
{
	char name[NAME_MAX + 1];
	int fd, err;

	fd = open_root(namespace);
	if (fd < 0)
		return fd;
	err = read_mount_id(fd, mount_id);
	if (!err)
		err = check_mount(namespace, *mount_id);
	while (!err && next_name(&path, name))
		err = step(namespace, &fd, mount_id, name);
	if (!err && *path)
		err = -ENAMETOOLONG;
	if (!err)
		return fd;
	close(fd);
	return err;
}
