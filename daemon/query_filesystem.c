// SPDX-License-Identifier: GPL-2.0
/*
 * Filesystems, their sizes and the disks beneath them; and the discarding of
 * their free space. Nothing here opens what can hang for want of a server.
 */
#include "query_filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mounts_local.h"
#include "query_address.h"
#include "query_child.h"
#include "query_file.h"

#define DEPTH_MAX 64 /* block devices on block devices */

static int emit_device(struct query_child *child, const char *syspath,
		       unsigned int depth);

static int emit_slave(struct query_child *child, const char *directory,
		      const char *name, void *data)
{
	unsigned int depth = *(unsigned int *)data;
	char syspath[PATH_MAX];

	if (query_file_resolve(child, syspath, "%s/%s", directory, name))
		return 0;
	return emit_device(child, syspath, depth);
}

/* A virtual device is the disks it lies on. */
static int emit_device(struct query_child *child, const char *syspath,
		       unsigned int depth)
{
	struct query_record record = {.kind = QUERY_ADDRESS};
	char slaves[PATH_MAX + sizeof("/slaves")];
	int err;

	if (!query_address_is_virtual(syspath)) {
		if (!query_address_find(child, syspath, &record.address))
			return 0;
		return child->emit(child->data, &record);
	}
	if (++depth > DEPTH_MAX)
		return query_child_fail(child, -ELOOP, "%s: is too deep",
					syspath);
	snprintf(slaves, sizeof(slaves), "%s/slaves", syspath);
	err = query_file_each(child, slaves, emit_slave, &depth);
	return err == -ENOENT ? 0 : err;
}

static void add_sizes(const struct query_child *child,
		      struct query_filesystem *filesystem)
{
	char path[2 * PATH_MAX];
	struct statvfs fs;
	uint64_t used;

	snprintf(path, sizeof(path), "%s%s", child->root, filesystem->mountpoint);
	if (statvfs(path, &fs))
		return;
	used = fs.f_blocks - fs.f_bfree;
	filesystem->has_sizes = 1;
	filesystem->used_bytes = used * fs.f_frsize;
	filesystem->total_bytes = (used + fs.f_bavail) * fs.f_frsize;
	filesystem->total_bytes_privileged = fs.f_blocks * fs.f_frsize;
}

static int emit_filesystem(void *data, const struct mounts_local *mount)
{
	struct query_record record = {.kind = QUERY_FILESYSTEM};
	struct query_filesystem *filesystem = &record.filesystem;
	struct query_child *child = data;
	char link[64], syspath[PATH_MAX];
	const char *name;
	int err;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(mount->dev),
		 minor(mount->dev));
	/* containers may not see it */
	err = query_file_resolve(child, syspath, "%s", link);
	name = err ? link : syspath;
	snprintf(filesystem->name, sizeof(filesystem->name), "%s",
		 strrchr(name, '/') + 1);
	snprintf(filesystem->mountpoint, sizeof(filesystem->mountpoint), "%s",
		 mount->path);
	snprintf(filesystem->type, sizeof(filesystem->type), "%s", mount->fstype);
	if (mount->is_reachable)
		add_sizes(child, filesystem);
	if (!err)
		err = child->emit(child->data, &record);
	else if (err == -ENOENT)
		return child->emit(child->data, &record);
	return err ? err : emit_device(child, syspath, 0);
}

static int each_mount(struct query_child *child,
		      int (*visit)(void *data, const struct mounts_local *mount))
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", child->root);
	err = mounts_local_each(path, visit, child);
	if (err && !*child->text)
		return query_child_fail(child, err,
					"failed to open mtab file: '%s': %s",
					path, strerror(-err));
	return err;
}

int query_filesystem_all(struct query_child *child)
{
	return each_mount(child, emit_filesystem);
}

/* What it did, or why it could not. */
static void trim(struct query_trimmed *trimmed, uint64_t minimum)
{
	struct fstrim_range range = {.len = UINT64_MAX, .minlen = minimum};
	int fd = open(trimmed->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0) {
		snprintf(trimmed->error, sizeof(trimmed->error),
			 "failed to open: %s", strerror(errno));
		return;
	}
	err = ioctl(fd, FITRIM, &range) ? errno : 0;
	close(fd);
	if (err == ENOTTY || err == EOPNOTSUPP)
		strcpy(trimmed->error, "trim not supported");
	else if (err)
		snprintf(trimmed->error, sizeof(trimmed->error),
			 "failed to trim: %s", strerror(err));
	trimmed->trimmed = range.len;
	trimmed->minimum = range.minlen;
}

static int emit_trimmed(void *data, const struct mounts_local *mount)
{
	struct query_record record = {.kind = QUERY_TRIMMED};
	struct query_trimmed *trimmed = &record.trimmed;
	struct query_child *child = data;

	snprintf(trimmed->path, sizeof(trimmed->path), "%s", mount->path);
	if (mount->is_reachable)
		trim(trimmed, child->query->fstrim.minimum);
	else
		strcpy(trimmed->error, "failed to open: it cannot be reached");
	return child->emit(child->data, &record);
}

int query_filesystem_trim(struct query_child *child)
{
	return each_mount(child, emit_trimmed);
}
