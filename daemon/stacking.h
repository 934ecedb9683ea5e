/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which superblock lies on which: loop devices on their backing files, dm, md
 * and bcache on their parts, partitions on disks, overlays on upper layers.
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
	enum {
		STACKING_NEW,
		STACKING_VISITING,
		STACKING_DONE
	} mark;
};

struct stacking {
	const char *sysfs, *dev; /* directories */
	struct stacking_super *supers;
	size_t nr_supers;
	/* The superblock that @path lies on, or STACKING_NONE. */
	size_t (*find_path)(const void *data, const char *path);
	const void *data;
};

/* Set every target's level. 0; -ELOOP if two lie on each other, or the
 * stack is too high, then @text names them. */
int stacking_set_levels(struct stacking *stacking, char *text, size_t size);

#endif
