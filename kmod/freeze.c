// SPDX-License-Identifier: GPL-2.0
/*
 * Flush and freeze a set of filesystems, all or none. One work leads through
 * the phases, one work per target does each step, so that a target which does
 * not come back keeps nobody but itself.
 */
#include "freeze.h"

#include <linux/bitops.h>
#include <linux/workqueue.h>

#include "expedite.h"
#include "flush.h"
#include "set.h"
#include "thaw.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * Works in flight per set. A freeze is three RCU grace periods, which many
 * callers share; 2 to 4 of them queue for it, more than 32 fight for the CPU.
 */
#define KFREEZE_WIDTH 32

/* A stuck freeze takes no slot of a thaw: that has a queue of its own. */
static struct workqueue_struct *kfreeze_freeze_queue;

/**
 * kfreeze_freeze_init - create the queue
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_freeze_init(void)
{
	kfreeze_freeze_queue = alloc_workqueue("kfreeze_freeze", WQ_UNBOUND,
					       WQ_MAX_ACTIVE);
	return kfreeze_freeze_queue ? 0 : -ENOMEM;
}

/**
 * kfreeze_freeze_exit - wait for what is queued, destroy the queue
 *
 * No set may be left. Context: may sleep.
 */
void kfreeze_freeze_exit(void)
{
	destroy_workqueue(kfreeze_freeze_queue);
}

enum kfreeze_progress {
	KFREEZE_WAIT,
	KFREEZE_GO_ON,
	KFREEZE_STOP
};

static enum kfreeze_progress kfreeze_set_progress(struct kfreeze_set *set,
						  unsigned int limit)
{
	enum kfreeze_progress progress = KFREEZE_WAIT;

	spin_lock(&set->lock);
	if (set->stop || set->blame)
		progress = KFREEZE_STOP;
	else if (set->nr_running <= limit)
		progress = KFREEZE_GO_ON;
	spin_unlock(&set->lock);
	return progress;
}

/*
 * Wait until at most @limit works are in flight. False when there is nothing
 * to go on with: the set is to be thawed, or a target failed.
 */
static bool kfreeze_set_wait(struct kfreeze_set *set, unsigned int limit)
{
	enum kfreeze_progress progress = KFREEZE_WAIT;

	wait_event_idle(set->wait, (progress = kfreeze_set_progress(set, limit)));
	return progress == KFREEZE_GO_ON;
}

/* Queue one step of one target, unless the set is to be thawed. */
static void kfreeze_set_dispatch(struct kfreeze_target *target,
				 enum kfreeze_target_state state)
{
	struct kfreeze_set *set = target->set;
	bool freeze = state == KFREEZE_TARGET_FREEZING;

	spin_lock(&set->lock);
	if (set->stop)
		goto out_unlock;
	target->record.state = state;
	set->nr_running++;
	set->nr_held += freeze;
	kref_get(&set->ref);
	queue_work(kfreeze_freeze_queue,
		   freeze ? &target->freeze : &target->flush);
out_unlock:
	spin_unlock(&set->lock);
}

/* Does no target before this one lie on the same disk? */
static bool kfreeze_target_leads(const struct kfreeze_target *target)
{
	const struct kfreeze_target *other;

	for (other = target->set->target; other < target; other++)
		if (kfreeze_target_shares_disk(other, target))
			return false;
	return true;
}

/* Is a work of its own queued for the target in this step? */
static bool kfreeze_target_is_due(const struct kfreeze_target *target,
				  enum kfreeze_target_state state, u8 level)
{
	if (state == KFREEZE_TARGET_FLUSHING)
		return kfreeze_target_leads(target);
	return target->record.level == level;
}

/* One step of all targets that are due, KFREEZE_WIDTH at a time. */
static bool kfreeze_set_each(struct kfreeze_set *set,
			     enum kfreeze_target_state state, u8 level)
{
	struct kfreeze_target *target;

	kfreeze_for_each_target(set, target) {
		if (!kfreeze_target_is_due(target, state, level))
			continue;
		if (!kfreeze_set_wait(set, KFREEZE_WIDTH - 1))
			return false;
		kfreeze_set_dispatch(target, state);
	}
	return kfreeze_set_wait(set, 0);
}

/* After a step: tell the leader, and let go if that was all. */
static void kfreeze_target_step_done(struct kfreeze_target *target)
{
	struct kfreeze_set *set = target->set;
	bool released;

	spin_lock(&set->lock);
	set->nr_running--;
	released = set->released;
	spin_unlock(&set->lock);
	wake_up(&set->wait);
	if (released)
		kfreeze_set_release(set);
}

static bool kfreeze_set_flushes_on(void *data)
{
	struct kfreeze_set *set = data;

	return !READ_ONCE(set->stop) && !READ_ONCE(set->blame);
}

/* False if there is nothing to go on with. */
static bool kfreeze_target_flush(struct kfreeze_target *target)
{
	struct kfreeze_record *record = &target->record;
	struct kfreeze_set *set = target->set;
	const struct kfreeze_flush flush = {
		.go_on = kfreeze_set_flushes_on,
		.data = set,
	};
	ktime_t start = ktime_get();
	bool go_on;
	int err;

	spin_lock(&set->lock);
	go_on = !set->stop && !set->blame;
	record->state = go_on ? KFREEZE_TARGET_FLUSHING : KFREEZE_TARGET_PENDING;
	spin_unlock(&set->lock);
	if (!go_on)
		return false;
	err = kfreeze_flush_sb(target->sb, &flush);
	spin_lock(&set->lock);
	record->flush_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (!err)
		record->state = KFREEZE_TARGET_FLUSHED;
	else if (err == -ECANCELED && !record->err) /* not its own fault */
		record->state = KFREEZE_TARGET_PENDING;
	else
		record->state = KFREEZE_TARGET_FAILED;
	if (err && err != -ECANCELED && !set->stop)
		kfreeze_set_blame(set, target, KFREEZE_STEP_FLUSH, err);
	spin_unlock(&set->lock);
	trace_flush(record, err, record->flush_ns);
	return !err;
}

/* Filesystems of one disk one by one: together they would only be slower. */
static void kfreeze_target_flush_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(work, struct kfreeze_target,
						     flush);
	struct kfreeze_set *set = target->set;
	struct kfreeze_target *other = target;

	for (; other < set->target + set->nr; other++) {
		if (other != target && !kfreeze_target_shares_disk(other, target))
			continue;
		if (!kfreeze_target_flush(other))
			break;
	}
	kfreeze_target_step_done(target);
	kfreeze_set_put(set);
}

/*
 * Freeze one target, and thaw it again if the set does not want it any more, or
 * if somebody else thawed it meanwhile.
 */
static void kfreeze_target_do(struct kfreeze_target *target)
{
	struct kfreeze_record *record = &target->record;
	struct kfreeze_set *set = target->set;
	enum kfreeze_news news = KFREEZE_NO_NEWS;
	bool contested = false;
	bool undo = false;
	int err;

	spin_lock(&set->lock);
	target->since = ktime_get();
	spin_unlock(&set->lock);
	kfreeze_target_watch(target);
	err = kfreeze_target_freeze(target);
	if (err)
		kfreeze_foreign_unwatch(&target->foreign, target->sb);
	else
		contested = !kfreeze_foreign_hold(&target->foreign, target->sb);

	spin_lock(&set->lock);
	record->freeze_ns = ktime_to_ns(ktime_sub(ktime_get(), target->since));
	trace_freeze(record, err, record->freeze_ns);
	if (err) {
		record->state = KFREEZE_TARGET_FAILED;
		kfreeze_set_blame(set, target, KFREEZE_STEP_FREEZE, err);
		news = kfreeze_set_unhold(target);
	} else {
		if (contested)
			kfreeze_set_blame(set, target, KFREEZE_STEP_FREEZE,
					  -EBUSY);
		undo = set->stop || contested;
		record->state = undo ? KFREEZE_TARGET_THAWING
				     : KFREEZE_TARGET_FROZEN;
	}
	spin_unlock(&set->lock);
	if (undo)
		kfreeze_target_undo(target);
	kfreeze_set_tell(set, news);
}

static void kfreeze_target_freeze_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(work, struct kfreeze_target,
						     freeze);
	struct kfreeze_set *set = target->set;
	enum kfreeze_news news = KFREEZE_NO_NEWS;
	bool stop;

	spin_lock(&set->lock);
	stop = set->stop;
	if (stop) {
		target->record.state = KFREEZE_TARGET_FLUSHED;
		news = kfreeze_set_unhold(target);
	}
	spin_unlock(&set->lock);
	if (!stop)
		kfreeze_target_do(target);
	kfreeze_set_tell(set, news);
	kfreeze_target_step_done(target);
	kfreeze_set_put(set);
}

static bool kfreeze_set_flush(struct kfreeze_set *set)
{
	return kfreeze_set_each(set, KFREEZE_TARGET_FLUSHING, 0);
}

/* The clock is read before the owner's deadline starts, so it is not early. */
static bool kfreeze_set_begin(struct kfreeze_set *set)
{
	spin_lock(&set->lock);
	set->since = ktime_get();
	spin_unlock(&set->lock);
	return set->ops->freezing(set);
}

/* From the highest level down: what lies on another freezes before it. */
static bool kfreeze_set_freeze(struct kfreeze_set *set)
{
	u64 levels = set->levels;
	bool done = true;
	u8 level;

	kfreeze_set_expedite(set);
	for (; done && levels; levels &= ~BIT_ULL(level)) {
		level = fls64(levels) - 1;
		done = kfreeze_set_each(set, KFREEZE_TARGET_FREEZING, level);
	}
	kfreeze_set_unexpedite(set);
	return done;
}

static void kfreeze_set_run(struct work_struct *work)
{
	struct kfreeze_set *set = container_of(work, struct kfreeze_set, run);

	if (kfreeze_set_flush(set) && kfreeze_set_begin(set) &&
	    kfreeze_set_freeze(set))
		set->ops->frozen(set);
	else
		set->ops->failed(set);
	kfreeze_set_put(set);
}

/**
 * kfreeze_set_start - flush and freeze
 * @set: a set all of whose targets are claimed
 * @ops: calls to the owner
 * @owner: for its use
 *
 * Context: process. Does not wait. The calls may come before it returns.
 */
void kfreeze_set_start(struct kfreeze_set *set,
		       const struct kfreeze_set_ops *ops, void *owner)
{
	struct kfreeze_target *target;

	kfreeze_for_each_target(set, target) {
		INIT_WORK(&target->flush, kfreeze_target_flush_work);
		INIT_WORK(&target->freeze, kfreeze_target_freeze_work);
		kfreeze_target_init_thaw(target);
	}
	INIT_WORK(&set->run, kfreeze_set_run);
	set->ops = ops;
	set->owner = owner;
	kref_get(&set->ref);
	queue_work(kfreeze_freeze_queue, &set->run);
}
