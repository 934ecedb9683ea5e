// SPDX-License-Identifier: GPL-2.0
/*
 * Flush and freeze a set of filesystems, all or none, and thaw it. One work
 * leads through the phases, one work per target does each step, so that a
 * target which does not come back keeps nobody but itself.
 */
#include "freeze.h"

#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "set.h"

/*
 * Works in flight per set. A freeze is three RCU grace periods, which many
 * callers share; 2 to 4 of them queue for it, more than 32 fight for the CPU.
 */
#define KFREEZE_WIDTH 16

/* How long to wait before asking a filesystem again that refused to thaw. */
#define KFREEZE_THAW_RETRY HZ

/*
 * Two queues, so that a stuck freeze takes no slot of a thaw. The thaw queue
 * has a rescuer: it must work when no worker can be created.
 */
static struct workqueue_struct *kfreeze_freeze_queue;
static struct workqueue_struct *kfreeze_thaw_queue;

/**
 * kfreeze_freeze_init - create the queues
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_freeze_init(void)
{
	kfreeze_freeze_queue = alloc_workqueue("kfreeze_freeze", WQ_UNBOUND,
					       WQ_MAX_ACTIVE);
	if (!kfreeze_freeze_queue)
		return -ENOMEM;
	kfreeze_thaw_queue = alloc_workqueue(
		"kfreeze_thaw", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI,
		WQ_MAX_ACTIVE);
	if (!kfreeze_thaw_queue)
		goto err_freeze_queue;
	return 0;

err_freeze_queue:
	destroy_workqueue(kfreeze_freeze_queue);
	return -ENOMEM;
}

/**
 * kfreeze_freeze_exit - wait for what is queued, destroy the queues
 *
 * No set may be left. Context: may sleep.
 */
void kfreeze_freeze_exit(void)
{
	destroy_workqueue(kfreeze_freeze_queue);
	destroy_workqueue(kfreeze_thaw_queue);
}

/* The set's lock is held. */
static void kfreeze_set_blame(struct kfreeze_set *set,
			      struct kfreeze_target *target,
			      enum kfreeze_step step, int err)
{
	target->record.step = step;
	target->record.err = err;
	if (!set->blame)
		set->blame = target;
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
 * to go on with: the set is to be thawed, a target failed, or @left jiffies
 * have passed.
 */
static bool kfreeze_set_wait(struct kfreeze_set *set, unsigned int limit,
			     long left)
{
	enum kfreeze_progress progress = KFREEZE_WAIT;

	wait_event_timeout(set->wait,
			   (progress = kfreeze_set_progress(set, limit)), left);
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

/* One step of all targets of @levels, KFREEZE_WIDTH at a time. */
static bool kfreeze_set_each(struct kfreeze_set *set, u64 levels,
			     enum kfreeze_target_state state, long timeout)
{
	unsigned long until = jiffies + timeout;
	struct kfreeze_target *target;

	kfreeze_for_each_target(set, target) {
		if (!(levels & BIT_ULL(target->record.level)))
			continue;
		if (!kfreeze_set_wait(set, KFREEZE_WIDTH - 1,
				      max_t(long, until - jiffies, 0)))
			return false;
		kfreeze_set_dispatch(target, state);
	}
	return kfreeze_set_wait(set, 0, max_t(long, until - jiffies, 0));
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

static void kfreeze_target_flush_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(work, struct kfreeze_target,
						     flush);
	struct kfreeze_set *set = target->set;
	ktime_t start = ktime_get();
	int err;

	err = kfreeze_target_flush(target);
	spin_lock(&set->lock);
	target->record.flush_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	target->record.state = KFREEZE_TARGET_FLUSHED;
	if (err) {
		target->record.state = KFREEZE_TARGET_FAILED;
		kfreeze_set_blame(set, target, KFREEZE_STEP_FLUSH, err);
	}
	spin_unlock(&set->lock);
	kfreeze_target_step_done(target);
	kfreeze_set_put(set);
}

enum kfreeze_news {
	KFREEZE_NO_NEWS,
	KFREEZE_SETTLED,
	KFREEZE_UNSTUCK
};

/* The target neither is frozen nor gets there any more. The lock is held. */
static enum kfreeze_news kfreeze_set_unhold(struct kfreeze_target *target)
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

static void kfreeze_set_tell(struct kfreeze_set *set, enum kfreeze_news news)
{
	if (news == KFREEZE_SETTLED)
		set->ops->settled(set);
	else if (news == KFREEZE_UNSTUCK)
		set->ops->unstuck(set);
}

/* The only way back: rollback, thaw, expiry and late freezes come here. */
static void kfreeze_target_undo(struct kfreeze_target *target)
{
	struct kfreeze_record *record = &target->record;
	struct kfreeze_set *set = target->set;
	enum kfreeze_news news;
	ktime_t start = ktime_get();
	int err = -EINVAL;
	bool released;

	if (kfreeze_foreign_claim(&target->foreign, target->sb))
		err = kfreeze_target_thaw(target);
	if (err && err != -EINVAL) {
		spin_lock(&set->lock);
		kfreeze_set_blame(set, target, KFREEZE_STEP_THAW, err);
		spin_unlock(&set->lock);
		kref_get(&set->ref);
		queue_delayed_work(kfreeze_thaw_queue, &target->thaw,
				   KFREEZE_THAW_RETRY);
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

static void kfreeze_target_thaw_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(
		to_delayed_work(work), struct kfreeze_target, thaw);
	struct kfreeze_set *set = target->set;

	kfreeze_target_undo(target);
	kfreeze_set_put(set);
}

static void kfreeze_target_lost_work(struct work_struct *work)
{
	struct kfreeze_target *target = container_of(work, struct kfreeze_target,
						     lost);
	struct kfreeze_set *set = target->set;

	set->ops->lost(set);
	kfreeze_set_put(set);
}

/* Atomic context. @lost was never queued: a watch notices once. */
static void __maybe_unused kfreeze_target_notice(struct kfreeze_foreign *foreign)
{
	struct kfreeze_target *target = container_of(
		foreign, struct kfreeze_target, foreign);

	kref_get(&target->set->ref);
	queue_work(kfreeze_thaw_queue, &target->lost);
}

/* Freeze one target, and thaw it again if the set does not want it any more. */
static void kfreeze_target_do(struct kfreeze_target *target)
{
	struct kfreeze_record *record = &target->record;
	struct kfreeze_set *set = target->set;
	enum kfreeze_news news = KFREEZE_NO_NEWS;
	bool undo = false;
	int err;

	spin_lock(&set->lock);
	target->since = ktime_get();
	spin_unlock(&set->lock);
	kfreeze_foreign_watch(&target->foreign, target->sb,
			      kfreeze_target_notice);
	err = kfreeze_target_freeze(target);
	if (err)
		kfreeze_foreign_unwatch(&target->foreign, target->sb);

	spin_lock(&set->lock);
	record->freeze_ns = ktime_to_ns(ktime_sub(ktime_get(), target->since));
	if (err) {
		record->state = KFREEZE_TARGET_FAILED;
		kfreeze_set_blame(set, target, KFREEZE_STEP_FREEZE, err);
		news = kfreeze_set_unhold(target);
	} else {
		undo = set->stop;
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
	return kfreeze_set_each(set, ~0ULL, KFREEZE_TARGET_FLUSHING,
				set->flush_timeout);
}

/*
 * A clean freeze is bound by RCU grace periods. Expedited ones disturb the
 * other CPUs, so they end with the freeze phase, or with the deadline if a
 * freeze is stuck.
 */
static void kfreeze_set_expedite(struct kfreeze_set *set)
{
	spin_lock(&set->lock);
	set->since = ktime_get();
	if (!set->stop) {
		rcu_expedite_gp();
		set->expedited = true;
	}
	spin_unlock(&set->lock);
}

static void kfreeze_set_unexpedite(struct kfreeze_set *set)
{
	spin_lock(&set->lock);
	if (set->expedited)
		rcu_unexpedite_gp();
	set->expedited = false;
	spin_unlock(&set->lock);
}

/* From the highest level down: what lies on another freezes before it. */
static bool kfreeze_set_freeze(struct kfreeze_set *set)
{
	u64 levels = set->levels;
	bool done = true;
	u64 level;

	kfreeze_set_expedite(set);
	while (done && levels) {
		level = BIT_ULL(fls64(levels) - 1);
		done = kfreeze_set_each(set, level, KFREEZE_TARGET_FREEZING,
					MAX_SCHEDULE_TIMEOUT);
		levels &= ~level;
	}
	kfreeze_set_unexpedite(set);
	return done;
}

/* A flush ran out of time: the first target that did not finish is to blame. */
static void kfreeze_set_blame_flush(struct kfreeze_set *set)
{
	struct kfreeze_target *target;

	kfreeze_for_each_target(set, target) {
		if (target->record.state != KFREEZE_TARGET_FLUSHING)
			continue;
		kfreeze_set_blame(set, target, KFREEZE_STEP_FLUSH, -ETIMEDOUT);
		return;
	}
}

/* Why a phase was not completed, or NONE if the owner stopped it. */
static enum kfreeze_cause kfreeze_set_why(struct kfreeze_set *set)
{
	enum kfreeze_cause cause = KFREEZE_CAUSE_NONE;

	spin_lock(&set->lock);
	if (!set->stop && set->blame) {
		cause = KFREEZE_CAUSE_ERROR;
	} else if (!set->stop) {
		cause = KFREEZE_CAUSE_FLUSH_DEADLINE;
		kfreeze_set_blame_flush(set);
	}
	spin_unlock(&set->lock);
	return cause;
}

static void kfreeze_set_run(struct work_struct *work)
{
	struct kfreeze_set *set = container_of(work, struct kfreeze_set, run);
	enum kfreeze_cause cause = KFREEZE_CAUSE_NONE;

	if (!kfreeze_set_flush(set))
		cause = kfreeze_set_why(set);
	else if (!set->ops->freezing(set))
		cause = KFREEZE_CAUSE_NONE;
	else if (!kfreeze_set_freeze(set))
		cause = kfreeze_set_why(set);
	else
		set->ops->frozen(set);
	if (cause != KFREEZE_CAUSE_NONE)
		set->ops->failed(set, cause);
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
		INIT_DELAYED_WORK(&target->thaw, kfreeze_target_thaw_work);
		INIT_WORK(&target->lost, kfreeze_target_lost_work);
	}
	INIT_WORK(&set->run, kfreeze_set_run);
	set->ops = ops;
	set->owner = owner;
	kref_get(&set->ref);
	queue_work(kfreeze_freeze_queue, &set->run);
}

/**
 * kfreeze_set_thaw - freeze no more and thaw everything
 * @set: a set that was started
 *
 * What is frozen is thawed by one work each, lowest level first; what is being
 * frozen thaws itself when it gets there. Allocates nothing.
 * Context: process. Does not wait.
 * Return: true if nothing is left to thaw, false if the owner will be told
 * when it is settled.
 */
bool kfreeze_set_thaw(struct kfreeze_set *set)
{
	struct kfreeze_target *target;
	u64 levels = set->levels;
	unsigned int level;
	bool settled;

	kfreeze_set_unexpedite(set);
	spin_lock(&set->lock);
	set->stop = true;
	for (; levels; levels &= levels - 1) {
		level = __ffs64(levels);
		kfreeze_for_each_target(set, target) {
			if (target->record.level != level ||
			    target->record.state != KFREEZE_TARGET_FROZEN)
				continue;
			target->record.state = KFREEZE_TARGET_THAWING;
			kref_get(&set->ref);
			queue_delayed_work(kfreeze_thaw_queue, &target->thaw, 0);
		}
	}
	settled = !set->nr_held;
	set->settled = settled;
	spin_unlock(&set->lock);
	wake_up(&set->wait);
	return settled;
}

/**
 * kfreeze_set_give_up - no longer wait for what is on the way
 * @set: a set that was told to thaw and has not settled
 * @state: KFREEZE_TARGET_FREEZING: give up only what has not frozen yet;
 *	KFREEZE_TARGET_THAWING: also what has not thawed yet
 *
 * It goes on, and the owner is told when the last of it is thawed.
 * Context: process. Does not wait.
 * Return: true if the set has settled thereby.
 */
bool kfreeze_set_give_up(struct kfreeze_set *set, enum kfreeze_target_state state)
{
	struct kfreeze_target *target;
	struct kfreeze_record *record;
	bool settled;

	spin_lock(&set->lock);
	kfreeze_for_each_target(set, target) {
		record = &target->record;
		if (record->late || (record->state != state &&
				     record->state != KFREEZE_TARGET_FREEZING))
			continue;
		record->late = true;
		set->nr_held--;
		set->nr_late++;
	}
	settled = !set->nr_held && !set->settled;
	if (settled)
		set->settled = true;
	spin_unlock(&set->lock);
	return settled;
}
