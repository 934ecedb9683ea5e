/* SPDX-License-Identifier: GPL-2.0 */
/* Thaw a set of filesystems. */
#ifndef KFREEZE_THAW_H
#define KFREEZE_THAW_H

#include <linux/types.h>

#include "set.h"

/**
 * enum kfreeze_news - what the end of one target means for its set
 * @KFREEZE_NO_NEWS: others are on the way still
 * @KFREEZE_SETTLED: nothing is left to thaw
 * @KFREEZE_UNSTUCK: nothing is left of what had been given up
 */
enum kfreeze_news {
	KFREEZE_NO_NEWS,
	KFREEZE_SETTLED,
	KFREEZE_UNSTUCK,
};

void kfreeze_target_init_thaw(struct kfreeze_target *target);
void kfreeze_target_watch(struct kfreeze_target *target);
void kfreeze_target_undo(struct kfreeze_target *target);
enum kfreeze_news kfreeze_set_unhold(struct kfreeze_target *target);
void kfreeze_set_tell(struct kfreeze_set *set, enum kfreeze_news news);

bool kfreeze_set_thaw(struct kfreeze_set *set);
bool kfreeze_set_expire(struct kfreeze_set *set);
bool kfreeze_set_give_up(struct kfreeze_set *set);

#endif
