// SPDX-License-Identifier: GPL-2.0
/* The set of filesystems that are frozen together: its life and its record. */
#include "set.h"

#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

/*
 * Dropping the last reference of a superblock unmounts it, with all the I/O
 * and the foreign queues that takes: on a queue of its own, without a rescuer.
 */
static struct workqueue_struct *kfreeze_release_queue;

/**
 * kfreeze_set_init - create the queue
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_set_init(void)
{
	kfreeze_release_queue = alloc_workqueue("kfreeze_release", WQ_UNBOUND, 0);
	return kfreeze_release_queue ? 0 : -ENOMEM;
}

/**
 * kfreeze_set_exit - wait for what is queued, destroy the queue
 *
 * No set may be left. Context: may sleep.
 */
void kfreeze_set_exit(void)
{
	destroy_workqueue(kfreeze_release_queue);
}

static void kfreeze_set_free(struct kref *ref)
{
	struct kfreeze_set *set = container_of(ref, struct kfreeze_set, ref);

	if (set->ops)
		set->ops->gone(set);
	skb_queue_purge(&set->spare);
	kvfree(set);
	module_put(THIS_MODULE);
}

/**
 * kfreeze_set_put - drop a reference
 * @set: the set; kfreeze_set_release() it before the owner's reference goes
 *
 * Context: process. Does not wait.
 */
void kfreeze_set_put(struct kfreeze_set *set)
{
	kref_put(&set->ref, kfreeze_set_free);
}

static void kfreeze_target_release_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(work, struct kfreeze_target,
						     release);

	kfreeze_target_unpin(target);
	kfreeze_set_put(target->set);
}

/* Is a work of the target under way, or the freeze its own to undo? */
static bool kfreeze_target_is_busy(const struct kfreeze_target *target)
{
	switch (target->record.state) {
	case KFREEZE_TARGET_FLUSHING:
	case KFREEZE_TARGET_FREEZING:
	case KFREEZE_TARGET_FROZEN:
	case KFREEZE_TARGET_THAWING:
		return true;
	default:
		return false;
	}
}

/**
 * kfreeze_set_release - let go of all superblocks that are at rest
 * @set: a set that was never started or was told to thaw
 *
 * Other sets can use them when this returns. A last reference, which unmounts,
 * is dropped by another work. Targets that are still busy follow
 * when they come to rest. Context: process. Does not wait.
 */
void kfreeze_set_release(struct kfreeze_set *set)
{
	struct kfreeze_target *target;
	bool release;

	kfreeze_for_each_target(set, target) {
		spin_lock(&set->lock);
		set->released = true;
		release = target->pinned && !kfreeze_target_is_busy(target);
		if (release)
			target->pinned = false;
		spin_unlock(&set->lock);
		if (!release)
			continue;
		kfreeze_target_unclaim(target);
		if (kfreeze_target_unpin_shared(target))
			continue;
		kref_get(&set->ref);
		queue_work(kfreeze_release_queue, &target->release);
	}
}

/**
 * kfreeze_set_alloc - a set without filesystems
 * @nr: how many it will have
 *
 * Context: may sleep.
 * Return: the set, with one reference, or NULL.
 */
struct kfreeze_set *kfreeze_set_alloc(unsigned int nr)
{
	struct kfreeze_target *target;
	struct kfreeze_set *set;

	set = kvzalloc(struct_size(set, target, nr), GFP_KERNEL);
	if (!set)
		return NULL;
	/* its works outlive the owner when a target is stuck */
	__module_get(THIS_MODULE);
	kref_init(&set->ref);
	init_waitqueue_head(&set->wait);
	skb_queue_head_init(&set->spare);
	spin_lock_init(&set->lock);
	set->nr = nr;
	kfreeze_for_each_target(set, target) {
		target->set = set;
		target->record.index = target - set->target;
		INIT_WORK(&target->release, kfreeze_target_release_work);
	}
	return set;
}

/**
 * kfreeze_set_pin - give one target its filesystem
 * @set: a set that was not started
 * @index: which target
 * @fd: descriptor of the calling process
 * @level: 0 .. KFREEZE_MAX_LEVELS - 1
 * @disk_nr: the requester's number of its disk, or 0
 *
 * Context: process, of the requester; does not wait.
 * Return: 0 or an error of kfreeze_target_pin().
 */
int kfreeze_set_pin(struct kfreeze_set *set, u32 index, int fd, u8 level,
		    u32 disk_nr)
{
	struct kfreeze_target *target = &set->target[index];

	target->disk_nr = disk_nr;
	target->record.level = level;
	set->levels |= BIT_ULL(level);
	return kfreeze_target_pin(target, fd);
}

/**
 * kfreeze_set_claim - take all filesystems of the set for it alone
 * @set: a set that was not started, all of whose targets are pinned
 * @bad: where to put the index of the target that cannot be had
 *
 * Context: process. kfreeze_set_release() undoes it, also after an error.
 * Return: 0 or an error of kfreeze_target_claim().
 */
int kfreeze_set_claim(struct kfreeze_set *set, u32 *bad)
{
	struct kfreeze_target *target;
	int err;

	kfreeze_for_each_target(set, target) {
		err = kfreeze_target_claim(target);
		if (err) {
			*bad = target->record.index;
			return err;
		}
	}
	return 0;
}

/**
 * kfreeze_set_blame - record a target's error
 * @set: the set; its lock is held
 * @target: the target; its first error stays, and the set's first target
 * @step: where it happened
 * @err: negative errno
 *
 * Context: any.
 */
void kfreeze_set_blame(struct kfreeze_set *set, struct kfreeze_target *target,
		       enum kfreeze_step step, int err)
{
	if (!target->record.err) {
		target->record.step = step;
		target->record.err = err;
	}
	if (!set->blame)
		WRITE_ONCE(set->blame, target); /* read by flushes */
}

static void kfreeze_set_copy(const struct kfreeze_target *target,
			     struct kfreeze_record *record)
{
	*record = target->record;
	if (record->late && kfreeze_target_is_busy(target))
		record->state = KFREEZE_TARGET_STUCK;
}

/**
 * kfreeze_set_summary - a set in figures
 * @set: the set
 * @summary: filled in
 *
 * Context: process. Does not wait.
 */
void kfreeze_set_summary(struct kfreeze_set *set, struct kfreeze_summary *summary)
{
	struct kfreeze_target *target;

	memset(summary, 0, sizeof(*summary));
	summary->nr = set->nr;
	spin_lock(&set->lock);
	kfreeze_for_each_target(set, target) {
		switch (target->record.state) {
		case KFREEZE_TARGET_FROZEN:
		case KFREEZE_TARGET_THAWED:
			summary->nr_frozen++;
			break;
		case KFREEZE_TARGET_LOST:
			summary->nr_lost++;
			break;
		default:
			break;
		}
	}
	summary->nr_stuck = set->nr_late;
	summary->blocked = set->since;
	if (set->since && set->until)
		summary->hold_ns = ktime_to_ns(ktime_sub(set->until, set->since));
	summary->blamed = set->blame;
	if (set->blame)
		kfreeze_set_copy(set->blame, &summary->blame);
	spin_unlock(&set->lock);
}

/**
 * kfreeze_set_record - what became of one target
 * @set: the set
 * @index: which target
 * @record: filled in
 *
 * Context: process. Does not wait.
 */
void kfreeze_set_record(struct kfreeze_set *set, u32 index,
			struct kfreeze_record *record)
{
	spin_lock(&set->lock);
	kfreeze_set_copy(&set->target[index], record);
	spin_unlock(&set->lock);
}
