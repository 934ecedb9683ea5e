/* SPDX-License-Identifier: GPL-2.0 */
/* What sysfs says of block devices, and the loop driver of its own. */
#ifndef KFREEZE_STACKING_SYSFS_H
#define KFREEZE_STACKING_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct stacking;

/* Of a path: a directory of links, a name in it, and its "dev". */
#define STACKING_SYSFS_MAX (PATH_MAX + NAME_MAX + sizeof("//dev"))

/* The number that a "dev" file has. 0 or -ENOENT. */
int stacking_sysfs_dev(const char *path, dev_t *dev);

/* "/dev/mapper/a" -> 253:0, by the name of the device in sysfs. */
int stacking_sysfs_source_dev(const struct stacking *stacking,
			      const char *source, dev_t *dev);

/* Whether a directory of links to block devices has this one. */
bool stacking_sysfs_has_dev(const char *path, dev_t wanted);

/* The superblock that a loop device's file lies on, or STACKING_NONE. @block:
 * the device in sysfs. */
size_t stacking_sysfs_loop_super(const struct stacking *stacking,
				 const char *block);

#endif
