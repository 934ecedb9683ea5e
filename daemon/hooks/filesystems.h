/* SPDX-License-Identifier: GPL-2.0 */
/* Which filesystems this freeze is about: KFREEZE_MOUNTS. */
#ifndef KFREEZE_HOOKS_FILESYSTEMS_H
#define KFREEZE_HOOKS_FILESYSTEMS_H

/* 1: what is at @path will be frozen, or there is no list that says so.
 * 0: it will not. -errno: there is no such path. */
int filesystems_has(const char *path);

#endif
