// SPDX-License-Identifier: GPL-2.0
/* Device numbers by sysfs, and the file behind a loop device. */
#include "stacking_sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stacking.h"

/* The first line of a sysfs file, without its newline. */
static int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, line, size - 1);
	close(fd);
	if (len < 0)
		return -EIO;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int stacking_sysfs_dev(const char *path, dev_t *dev)
{
	unsigned int major, minor;
	char line[32];

	if (read_line(path, line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major, &minor) != 2)
		return -ENOENT;
	*dev = makedev(major, minor);
	return 0;
}

static size_t find_dev(const struct stacking *stacking, dev_t dev)
{
	size_t i;

	for (i = 0; i < stacking->nr_supers; i++) {
		if (stacking->supers[i].dev == dev)
			return i;
	}
	return STACKING_NONE;
}

/* What the loop driver says: right even if the backing file's path is hidden
 * or of another mount namespace. Not for btrfs, whose files have other device
 * numbers than the superblock. */
static size_t loop_status_super(const struct stacking *stacking, const char *block)
{
	char link[PATH_MAX], path[STACKING_SYSFS_MAX];
	struct loop_info64 info;
	ssize_t len;
	int fd, err;

	len = readlink(block, link, sizeof(link) - 1);
	if (len < 0)
		return STACKING_NONE;
	link[len] = '\0';
	snprintf(path, sizeof(path), "%s/%s", stacking->dev, basename(link));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return STACKING_NONE;
	err = ioctl(fd, LOOP_GET_STATUS64, &info);
	close(fd);
	return err ? STACKING_NONE : find_dev(stacking, info.lo_device);
}

size_t stacking_sysfs_loop_super(const struct stacking *stacking,
				 const char *block)
{
	static const char deleted[] = " (deleted)";
	char path[PATH_MAX], file[PATH_MAX];
	size_t index, len;

	snprintf(path, sizeof(path), "%s/loop/backing_file", block);
	if (read_line(path, file, sizeof(file)))
		return STACKING_NONE;
	index = loop_status_super(stacking, block);
	if (index != STACKING_NONE)
		return index;
	len = strlen(file);
	if (len >= sizeof(deleted) &&
	    !strcmp(file + len - strlen(deleted), deleted))
		file[len - strlen(deleted)] = '\0';
	return stacking->find_path(stacking->data, file);
}

int stacking_sysfs_source_dev(const struct stacking *stacking,
			      const char *source, dev_t *dev)
{
	char path[PATH_MAX], real[PATH_MAX];

	if (!source || strncmp(source, "/dev/", 5))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s%s", stacking->dev, source + 4);
	if (!realpath(path, real))
		return -errno;
	snprintf(path, sizeof(path), "%s/class/block/%s/dev", stacking->sysfs,
		 basename(real));
	return stacking_sysfs_dev(path, dev);
}

bool stacking_sysfs_has_dev(const char *path, dev_t wanted)
{
	char file[STACKING_SYSFS_MAX];
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;
	dev_t dev;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s/dev", path, entry->d_name);
		found = !stacking_sysfs_dev(file, &dev) && dev == wanted;
	}
	closedir(dir);
	return found;
}
