/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Notices that somebody else thawed a superblock that we froze. Needed where
 * freezes have no holder (before 6.6); elsewhere all of this is empty.
 */
#ifndef KFREEZE_FOREIGN_H
#define KFREEZE_FOREIGN_H

#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct super_block;

#ifdef KFREEZE_HAVE_WAIT_UNFROZEN

/**
 * struct kfreeze_foreign - a watch on one superblock's thaws
 * @entry: in the superblock's wait queue, which every thaw wakes
 * @thawed: it was woken; under the queue's lock, as all that follows
 * @held: the superblock is frozen by us: a thaw is a foreign one
 * @notice: called at the first foreign thaw, must not sleep
 */
struct kfreeze_foreign {
	struct wait_queue_entry entry;
	bool thawed;
	bool held;
	void (*notice)(struct kfreeze_foreign *foreign);
};

void kfreeze_foreign_watch(struct kfreeze_foreign *foreign,
			   struct super_block *sb,
			   void (*notice)(struct kfreeze_foreign *foreign));
bool kfreeze_foreign_hold(struct kfreeze_foreign *foreign,
			  struct super_block *sb);
bool kfreeze_foreign_claim(struct kfreeze_foreign *foreign,
			   struct super_block *sb);
void kfreeze_foreign_unwatch(struct kfreeze_foreign *foreign,
			     struct super_block *sb);

#else

struct kfreeze_foreign {
};

static inline void
kfreeze_foreign_watch(struct kfreeze_foreign *foreign, struct super_block *sb,
		      void (*notice)(struct kfreeze_foreign *foreign))
{
}

static inline bool kfreeze_foreign_hold(struct kfreeze_foreign *foreign,
					struct super_block *sb)
{
	return true;
}

static inline bool kfreeze_foreign_claim(struct kfreeze_foreign *foreign,
					 struct super_block *sb)
{
	return true;
}

static inline void kfreeze_foreign_unwatch(struct kfreeze_foreign *foreign,
					   struct super_block *sb)
{
}

#endif

#endif
