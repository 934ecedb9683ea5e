/* SPDX-License-Identifier: GPL-2.0 */
/* Flush and freeze a set of filesystems, all or none, and thaw it. */
#ifndef KFREEZE_FREEZE_H
#define KFREEZE_FREEZE_H

#include <linux/types.h>

#include <linux/kfreeze.h>

struct kfreeze_set;
struct kfreeze_set_ops;

int kfreeze_freeze_init(void);
void kfreeze_freeze_exit(void);

void kfreeze_set_start(struct kfreeze_set *set,
		       const struct kfreeze_set_ops *ops, void *owner);
bool kfreeze_set_thaw(struct kfreeze_set *set);
bool kfreeze_set_give_up(struct kfreeze_set *set,
			 enum kfreeze_target_state state);

#endif
