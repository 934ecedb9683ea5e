// SPDX-License-Identifier: GPL-2.0
/*
 * Levels and disks from sysfs: a walk down from every superblock over block
 * devices to the superblocks beneath it, by depth first search.
 */
#include "stacking.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/kfreeze.h>
#include <linux/major.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stacking_disk.h"
#include "stacking_sysfs.h"

#define DEPTH_MAX 64 /* block devices on block devices */

/* A block device, once it has been looked at. */
struct known_device {
	dev_t dev;
	unsigned int height;
	size_t above; /* the first superblock that was found to lie on it */
};

/* One search: the superblock it came down from, and where to put an error. */
struct search {
	struct stacking *stacking;
	size_t above;
	char *text;
	size_t size;
	void *known; /* tree of known devices */
};

static int super_height(struct search *search, size_t index,
			unsigned int *height);

static void raise_to(unsigned int *height, unsigned int other)
{
	if (*height < other)
		*height = other;
}

/* How many targets lie beneath a block device. */
static int device_height(struct search *search, dev_t dev, unsigned int depth,
			 unsigned int *height);

/* The highest of the devices in a directory of links to block devices. -ENOENT
 * if there is no such directory. */
static int directory_height(struct search *search, const char *path,
			    unsigned int depth, unsigned int *height)
{
	char file[STACKING_SYSFS_MAX];
	DIR *dir = opendir(path);
	struct dirent *entry;
	int err = 0;
	dev_t dev;

	if (!dir)
		return -ENOENT;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s/dev", path, entry->d_name);
		if (!stacking_sysfs_dev(file, &dev))
			err = device_height(search, dev, depth, height);
	}
	closedir(dir);
	return err;
}

/* Disks have a directory of slaves, partitions do not. */
static int look_beneath(struct search *search, dev_t dev, unsigned int depth,
			unsigned int *height)
{
	struct stacking *stacking = search->stacking;
	char block[PATH_MAX / 2], path[PATH_MAX];
	size_t index;
	dev_t disk;
	int err;

	snprintf(block, sizeof(block), "%s/dev/block/%u:%u", stacking->sysfs,
		 major(dev), minor(dev));
	if (!access(block, F_OK))
		stacking->supers[search->above].has_disk = true;
	if (major(dev) == LOOP_MAJOR) {
		index = stacking_sysfs_loop_super(stacking, block);
		if (index != STACKING_NONE)
			return super_height(search, index, height);
	}
	snprintf(path, sizeof(path), "%s/slaves", block);
	err = directory_height(search, path, depth + 1, height);
	if (err != -ENOENT)
		return err;
	snprintf(path, sizeof(path), "%s/partition", block);
	if (access(path, F_OK))
		return 0;
	snprintf(path, sizeof(path), "%s/../dev", block);
	if (stacking_sysfs_dev(path, &disk))
		return 0;
	return device_height(search, disk, depth + 1, height);
}

static int compare_devices(const void *a, const void *b)
{
	const struct known_device *one = a, *other = b;

	if (one->dev == other->dev)
		return 0;
	return one->dev < other->dev ? -1 : 1;
}

static const struct known_device *find_known(const struct search *search,
					     dev_t dev)
{
	const struct known_device key = {.dev = dev};
	struct known_device *const *found;

	found = tfind(&key, &search->known, compare_devices);
	return found ? *found : NULL;
}

/* What cannot be remembered is looked at again. */
static void remember(struct search *search, dev_t dev, unsigned int height)
{
	struct known_device *known = malloc(sizeof(*known));

	if (!known)
		return;
	*known = (struct known_device){dev, height, search->above};
	if (!tsearch(known, &search->known, compare_devices))
		free(known);
}

static int device_height(struct search *search, dev_t dev, unsigned int depth,
			 unsigned int *height)
{
	const struct known_device *known = find_known(search, dev);
	unsigned int own = 0;
	int err;

	if (known) {
		raise_to(height, known->height);
		stacking_disk_share(search->stacking, search->above,
				    known->above);
		return 0;
	}
	if (depth >= DEPTH_MAX) {
		snprintf(search->text, search->size,
			 "%s: more than %d block devices lie on each other",
			 search->stacking->supers[search->above].path, DEPTH_MAX);
		return -ELOOP;
	}
	err = look_beneath(search, dev, depth, &own);
	if (err)
		return err;
	remember(search, dev, own);
	raise_to(height, own);
	return 0;
}

/* btrfs has no device number of its own: mountinfo names one of its devices,
 * sysfs has a directory of all of them. */
static int btrfs_height(struct search *search,
			const struct stacking_super *super, unsigned int *height)
{
	struct stacking *stacking = search->stacking;
	char top[PATH_MAX / 2], path[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	dev_t dev;
	DIR *dir;

	if (stacking_sysfs_source_dev(stacking, super->source, &dev))
		return 0;
	snprintf(top, sizeof(top), "%s/fs/btrfs", stacking->sysfs);
	dir = opendir(top);
	if (!dir)
		return device_height(search, dev, 0, height);
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/devices", top, entry->d_name);
		if (stacking_sysfs_has_dev(path, dev))
			err = directory_height(search, path, 0, height);
	}
	closedir(dir);
	return err == -ENOENT ? 0 : err;
}

/* Set the level of a superblock from what is beneath it. */
static int set_level(struct search *search, struct stacking_super *super)
{
	struct stacking *stacking = search->stacking;
	size_t upper;

	if (super->upperdir) {
		upper = stacking->find_path(stacking->data, super->upperdir);
		if (upper == STACKING_NONE)
			return 0;
		return super_height(search, upper, &super->level);
	}
	if (!strcmp(super->fstype, "btrfs"))
		return btrfs_height(search, super, &super->level);
	if (major(super->dev))
		return device_height(search, super->dev, 0, &super->level);
	return 0;
}

/* How high the stack is that ends with this superblock. */
static int super_height(struct search *search, size_t index, unsigned int *height)
{
	struct stacking_super *super = &search->stacking->supers[index];
	size_t above = search->above;
	int err;

	if (super->mark == STACKING_VISITING) {
		snprintf(search->text, search->size,
			 "%s: lies on %s, which lies on it: no order to freeze",
			 search->stacking->supers[above].path, super->path);
		return -ELOOP;
	}
	if (super->mark == STACKING_NEW) {
		super->mark = STACKING_VISITING;
		search->above = index;
		err = set_level(search, super);
		search->above = above;
		if (err)
			return err;
		super->mark = STACKING_DONE;
	}
	stacking_disk_share(search->stacking, above, index);
	raise_to(height, super->level + super->is_target);
	return 0;
}

static int set_levels(struct search *search)
{
	struct stacking *stacking = search->stacking;
	unsigned int height = 0;
	size_t i;
	int err;

	for (i = 0; i < stacking->nr_supers; i++) {
		if (!stacking->supers[i].is_target)
			continue;
		search->above = i;
		err = super_height(search, i, &height);
		if (err)
			return err;
		if (stacking->supers[i].level < KFREEZE_MAX_LEVELS)
			continue;
		snprintf(search->text, search->size,
			 "%s: lies on more than %d filesystems",
			 stacking->supers[i].path, KFREEZE_MAX_LEVELS - 1);
		return -ELOOP;
	}
	return 0;
}

int stacking_walk(struct stacking *stacking, char *text, size_t size)
{
	struct search search = {
		.stacking = stacking,
		.text = text,
		.size = size,
	};
	int err;

	stacking_disk_init(stacking);
	err = set_levels(&search);
	if (!err)
		stacking_disk_number(stacking);
	tdestroy(search.known, free);
	return err;
}
