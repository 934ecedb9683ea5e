// SPDX-License-Identifier: GPL-2.0
/*
 * Thaw a set of filesystems. The way back is one function for all: rollback,
 * thaw, expiry and late freezes. It allocates nothing.
 */
#include "thaw.h"

#include <linux/bitops.h>

#include "expedite.h"
#include "trace.h"

/* How long to wait before asking a filesystem again that refused to thaw. */
#define KFREEZE_THAW_RETRY HZ

/**
 * kfreeze_set_unhold - a target neither is frozen nor gets there any more
 * @target: the target; its set's lock is held
 *
 * Context: any.
 * Return: what that means, for kfreeze_set_tell() without the lock.
 */
enum kfreeze_news kfreeze_set_unhold(struct kfreeze_target *target)
{
	struct kfreeze_set *set = target->set;

	if (target->record.late)
		return --set->nr_late || !set->settled ? KFREEZE_NO_NEWS
						       : KFREEZE_UNSTUCK;
	if (--set->nr_held || !set->stop || set->settled)
		return KFREEZE_NO_NEWS;
	set->settled = true;
	return KFREEZE_SETTLED;
}

/**
 * kfreeze_set_tell - tell the owner
 * @set: the set, without its lock
 * @news: what kfreeze_set_unhold() returned
 *
 * Context: process.
 */
void kfreeze_set_tell(struct kfreeze_set *set, enum kfreeze_news news)
{
	if (news == KFREEZE_SETTLED)
		set->ops->settled(set);
	else if (news == KFREEZE_UNSTUCK)
		set->ops->unstuck(set);
}

/**
 * kfreeze_target_undo - the only way back
 * @target: a target that was frozen, in state THAWING
 *
 * Context: process; may wait for I/O.
 */
void kfreeze_target_undo(struct kfreeze_target *target)
{
	struct kfreeze_record *record = &target->record;
	struct kfreeze_set *set = target->set;
	enum kfreeze_news news;
	ktime_t start = ktime_get();
	bool refused = false;
	int err = -EINVAL;
	bool released;

	if (kfreeze_foreign_claim(&target->foreign, target->sb)) {
		err = kfreeze_target_thaw(target);
		refused = err && kfreeze_target_is_frozen(target);
	}
	trace_thaw(record, err, ktime_to_ns(ktime_sub(ktime_get(), start)));
	if (refused) {
		spin_lock(&set->lock);
		kfreeze_set_blame(set, target, KFREEZE_STEP_THAW, err);
		spin_unlock(&set->lock);
		kref_get(&set->ref);
		kfreeze_job_retry(&target->thaw, KFREEZE_THAW_RETRY);
		return;
	}
	kfreeze_foreign_unwatch(&target->foreign, target->sb);

	spin_lock(&set->lock);
	set->until = ktime_get();
	record->thaw_ns = ktime_to_ns(ktime_sub(set->until, start));
	record->hold_ns = ktime_to_ns(ktime_sub(set->until, target->since));
	record->state = err ? KFREEZE_TARGET_LOST : KFREEZE_TARGET_THAWED;
	if (err)
		kfreeze_set_blame(set, target, KFREEZE_STEP_THAW, err);
	news = kfreeze_set_unhold(target);
	released = set->released;
	spin_unlock(&set->lock);
	if (released)
		kfreeze_set_release(set);
	kfreeze_set_tell(set, news);
}

static void kfreeze_target_thaw_job(struct kfreeze_job *job)
{
	struct kfreeze_target *target = container_of(job, struct kfreeze_target,
						     thaw);
	struct kfreeze_set *set = target->set;

	kfreeze_target_undo(target);
	kfreeze_set_put(set);
}

static void kfreeze_target_lost_job(struct kfreeze_job *job)
{
	struct kfreeze_target *target = container_of(job, struct kfreeze_target,
						     lost);
	struct kfreeze_set *set = target->set;

	set->ops->lost(set);
	kfreeze_set_put(set);
}

/* Atomic context. @lost was never added: a watch notices once. */
static void __maybe_unused kfreeze_target_notice(struct kfreeze_foreign *foreign)
{
	struct kfreeze_target *target = container_of(
		foreign, struct kfreeze_target, foreign);

	kref_get(&target->set->ref);
	kfreeze_job_add(&target->lost);
}

/**
 * kfreeze_target_watch - notice foreign thaws from now on
 * @target: a target that is about to be frozen
 *
 * Context: any.
 */
void kfreeze_target_watch(struct kfreeze_target *target)
{
	kfreeze_foreign_watch(&target->foreign, target->sb,
			      kfreeze_target_notice);
}

/**
 * kfreeze_target_init_thaw - prepare a target's thaw before it is frozen
 * @target: the target
 *
 * Context: any.
 */
void kfreeze_target_init_thaw(struct kfreeze_target *target)
{
	kfreeze_job_init(&target->thaw, kfreeze_target_thaw_job);
	kfreeze_job_init(&target->lost, kfreeze_target_lost_job);
}

/*
 * Freeze no more and thaw what is frozen. Is nothing left to thaw? The set's
 * lock is held.
 */
static bool kfreeze_set_turn_back(struct kfreeze_set *set)
{
	struct kfreeze_target *target;
	u64 levels = set->levels;
	unsigned int level;

	WRITE_ONCE(set->stop, true); /* read by flushes */
	for (; levels; levels &= levels - 1) {
		level = __ffs64(levels);
		kfreeze_for_each_target(set, target) {
			if (target->record.level != level ||
			    target->record.state != KFREEZE_TARGET_FROZEN)
				continue;
			target->record.state = KFREEZE_TARGET_THAWING;
			kref_get(&set->ref);
			kfreeze_job_add(&target->thaw);
		}
	}
	set->settled = !set->nr_held;
	wake_up(&set->wait);
	return set->settled;
}

/**
 * kfreeze_set_thaw - freeze no more and thaw everything
 * @set: a set that was started
 *
 * What is frozen is thawed by one job each, lowest level first; what is being
 * frozen thaws itself when it gets there. Allocates nothing.
 * Context: process. Does not wait.
 * Return: true if nothing is left to thaw, false if the owner will be told
 * when it is settled.
 */
bool kfreeze_set_thaw(struct kfreeze_set *set)
{
	bool settled;

	kfreeze_set_unexpedite(set);
	spin_lock(&set->lock);
	settled = kfreeze_set_turn_back(set);
	spin_unlock(&set->lock);
	return settled;
}

/* No longer wait for this one. The set's lock is held. */
static void kfreeze_target_give_up(struct kfreeze_target *target)
{
	if (target->record.late)
		return;
	target->record.late = true;
	target->set->nr_held--;
	target->set->nr_late++;
}

/* It has missed the deadline. The set's lock is held. */
static void kfreeze_target_expire(struct kfreeze_target *target, ktime_t now)
{
	struct kfreeze_set *set = target->set;
	struct kfreeze_record *record = &target->record;

	switch (record->state) {
	case KFREEZE_TARGET_FLUSHING:
		if (!set->blame)
			kfreeze_set_blame(set, target, KFREEZE_STEP_FLUSH,
					  -ETIMEDOUT);
		break;
	case KFREEZE_TARGET_FREEZING:
		kfreeze_set_blame(set, target, KFREEZE_STEP_FREEZE, -ETIMEDOUT);
		kfreeze_target_give_up(target);
		fallthrough;
	case KFREEZE_TARGET_FROZEN:
		trace_expire(record, -ETIMEDOUT,
			     ktime_to_ns(ktime_sub(now, set->since)));
		break;
	default:
		break;
	}
}

/**
 * kfreeze_set_expire - thaw a set whose deadline has passed
 * @set: a set that was started and not told to thaw
 *
 * As kfreeze_set_thaw(), but what has not been flushed or frozen yet is blamed.
 * What is being frozen is given up: it goes on, thaws itself when it gets
 * there, and the owner is told when the last one did.
 * Context: process. Does not wait.
 * Return: true if nothing else is left to thaw, false if the owner will be
 * told when it is settled.
 */
bool kfreeze_set_expire(struct kfreeze_set *set)
{
	ktime_t now = ktime_get();
	struct kfreeze_target *target;
	bool settled;

	kfreeze_set_unexpedite(set);
	spin_lock(&set->lock);
	kfreeze_for_each_target(set, target)
		kfreeze_target_expire(target, now);
	settled = kfreeze_set_turn_back(set);
	spin_unlock(&set->lock);
	return settled;
}

/**
 * kfreeze_set_give_up - no longer wait for what is on the way
 * @set: a set that was told to thaw
 *
 * It goes on, and the owner is told when the last of it is thawed.
 * Context: process. Does not wait.
 * Return: true if the set has settled thereby.
 */
bool kfreeze_set_give_up(struct kfreeze_set *set)
{
	struct kfreeze_target *target;
	bool settled;

	spin_lock(&set->lock);
	kfreeze_for_each_target(set, target)
		if (target->record.state == KFREEZE_TARGET_FREEZING ||
		    target->record.state == KFREEZE_TARGET_THAWING)
			kfreeze_target_give_up(target);
	settled = !set->nr_held && !set->settled;
	if (settled)
		set->settled = true;
	spin_unlock(&set->lock);
	return settled;
}
