/* SPDX-License-Identifier: GPL-2.0 */
/* Flush and freeze a set of filesystems, all or none. */
#ifndef KFREEZE_FREEZE_H
#define KFREEZE_FREEZE_H

struct kfreeze_set;
struct kfreeze_set_ops;

int kfreeze_freeze_init(void);
void kfreeze_freeze_exit(void);

void kfreeze_set_start(struct kfreeze_set *set,
		       const struct kfreeze_set_ops *ops, void *owner);

#endif
