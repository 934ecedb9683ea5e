/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which superblock lies on which: loop devices on their backing files, dm, md
 * and bcache on their parts, partitions on disks, overlays on upper layers.
 * And which of them have a disk in common, at the bottom of all this.
 */
#ifndef KFREEZE_STACKING_H
#define KFREEZE_STACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STACKING_NONE ((size_t)-1)

struct stacking_super {
	dev_t dev; /* as in mountinfo */
	const char *path, *source, *fstype;
	const char *upperdir; /* of an overlay, or NULL */
	bool is_target; /* counts as a level of what lies on it */
	unsigned int level; /* out: targets beneath it, longest chain */
	unsigned int disk; /* out: see stacking_walk() */
	enum {
		STACKING_NEW,
		STACKING_VISITING,
		STACKING_DONE
	} mark;
	bool has_disk; /* lies on a block device */
	size_t shares; /* disks with this superblock, or itself */
};

struct stacking {
	const char *sysfs, *dev; /* directories */
	struct stacking_super *supers;
	size_t nr_supers;
	/* The superblock that @path lies on, or STACKING_NONE. */
	size_t (*find_path)(const void *data, const char *path);
	const void *data;
};

/* Set every target's level and disk: the same number, from 1, for all that
 * share a disk, if only by way of others, and 0 if nothing is known of its
 * devices. 0; -ELOOP if two lie on each other, or the stack is too high, then
 * @text names them. */
int stacking_walk(struct stacking *stacking, char *text, size_t size);

#endif
