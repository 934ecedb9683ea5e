// SPDX-License-Identifier: GPL-2.0
/*
 * Notices that somebody else thawed a superblock that we froze, also when it
 * was frozen again since: every thaw wakes s_writers.wait_unfrozen, in which
 * nobody else waits while we hold the superblock.
 */
#include "foreign.h"

#include <linux/fs.h>

/* The thawer holds s_umount and the queue's lock: nothing here may sleep. */
static int kfreeze_foreign_wake(struct wait_queue_entry *entry,
				unsigned int mode, int sync, void *key)
{
	struct kfreeze_foreign *foreign = container_of(
		entry, struct kfreeze_foreign, entry);

	if (foreign->held && !foreign->thawed)
		foreign->notice(foreign);
	foreign->thawed = true;
	return 0;
}

/**
 * kfreeze_foreign_watch - watch thaws from now on
 * @foreign: the watch
 * @sb: superblock, pinned until kfreeze_foreign_unwatch()
 * @notice: called at the first foreign thaw, in atomic context
 *
 * To be called before the freeze, so that no thaw after it is missed.
 * Context: any.
 */
void kfreeze_foreign_watch(struct kfreeze_foreign *foreign,
			   struct super_block *sb,
			   void (*notice)(struct kfreeze_foreign *foreign))
{
	foreign->thawed = false;
	foreign->held = false;
	foreign->notice = notice;
	init_waitqueue_func_entry(&foreign->entry, kfreeze_foreign_wake);
	add_wait_queue(&sb->s_writers.wait_unfrozen, &foreign->entry);
}

/**
 * kfreeze_foreign_hold - our freeze has succeeded: notice thaws
 * @foreign: the watch
 * @sb: its superblock
 *
 * Context: any.
 * Return: false if somebody thawed since the watch began. That was before our
 * freeze, which had to wait for it, or just after: nobody can tell. What is
 * frozen now is for kfreeze_foreign_claim() to claim.
 */
bool kfreeze_foreign_hold(struct kfreeze_foreign *foreign, struct super_block *sb)
{
	unsigned long flags;
	bool alone;

	spin_lock_irqsave(&sb->s_writers.wait_unfrozen.lock, flags);
	alone = !foreign->thawed;
	foreign->thawed = sb->s_writers.frozen != SB_FREEZE_COMPLETE;
	foreign->held = true;
	spin_unlock_irqrestore(&sb->s_writers.wait_unfrozen.lock, flags);
	return alone;
}

/**
 * kfreeze_foreign_claim - declare that the next thaw is ours
 * @foreign: the watch
 * @sb: its superblock
 *
 * Context: any.
 * Return: false if somebody else thawed before: a freeze that is there now
 * is not ours to undo.
 */
bool kfreeze_foreign_claim(struct kfreeze_foreign *foreign, struct super_block *sb)
{
	unsigned long flags;
	bool claimed;

	spin_lock_irqsave(&sb->s_writers.wait_unfrozen.lock, flags);
	claimed = !foreign->thawed;
	foreign->held = false;
	spin_unlock_irqrestore(&sb->s_writers.wait_unfrozen.lock, flags);
	return claimed;
}

/**
 * kfreeze_foreign_unwatch - end the watch
 * @foreign: the watch
 * @sb: its superblock
 *
 * Context: any. @notice does not run any more when this returns.
 */
void kfreeze_foreign_unwatch(struct kfreeze_foreign *foreign,
			     struct super_block *sb)
{
	remove_wait_queue(&sb->s_writers.wait_unfrozen, &foreign->entry);
}
