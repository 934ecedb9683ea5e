/* SPDX-License-Identifier: GPL-2.0 */
/* Which superblocks share disks: sets that grow while the walk goes on. */
#ifndef KFREEZE_STACKING_DISK_H
#define KFREEZE_STACKING_DISK_H

#include <stddef.h>

struct stacking;

/* Each superblock is alone, and nothing is known of its disks. */
void stacking_disk_init(struct stacking *stacking);

/* It lies on the disks of another one @beneath, if that has any. */
void stacking_disk_share(struct stacking *stacking, size_t above, size_t beneath);

/* Number the disks of targets, in the order of these. */
void stacking_disk_number(struct stacking *stacking);

#endif
