// SPDX-License-Identifier: GPL-2.0
/*
 * One cycle after the other: the state machine from FREEZE to the last thaw.
 * Whatever ends a cycle ends it through one function.
 */
#include "cycle.h"

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/wait.h>

#include "freeze.h"
#include "param.h"
#include "thaw.h"

/* How long a thaw may take before its stragglers are reported as stuck. */
#define KFREEZE_GRACE_MS 5000
/* The same after the deadline, when everybody has waited long enough. */
#define KFREEZE_EXPIRED_GRACE_MS 1000

DEFINE_MUTEX(kfreeze_cycle_lock); /* protects all cycles, see cycle.h */
static const struct kfreeze_cycle_ops *kfreeze_cycle_ops;
static u32 kfreeze_last_cycle;
static ktime_t kfreeze_next_freeze; /* not before, by any session */
static atomic_t kfreeze_nr_cycles; /* that are not idle; read without lock */
static DECLARE_WAIT_QUEUE_HEAD(kfreeze_cycle_idle);

/**
 * kfreeze_cycle_use - set how cycles reach the outside
 * @ops: the functions
 *
 * Context: before the first cycle.
 */
void kfreeze_cycle_use(const struct kfreeze_cycle_ops *ops)
{
	kfreeze_cycle_ops = ops;
}

static void kfreeze_cycle_fill_set(const struct kfreeze_cycle *cycle,
				   struct kfreeze_set *set,
				   struct kfreeze_status *status)
{
	s64 left = ktime_ms_delta(cycle->deadline, ktime_get());

	memset(status, 0, sizeof(*status));
	status->session = cycle->session;
	status->state = cycle->state;
	if (cycle->state == KFREEZE_STATE_FREEZING ||
	    cycle->state == KFREEZE_STATE_FROZEN)
		status->remaining_ms = max_t(s64, left, 0);
	if (!set)
		return;
	status->cycle = set->cycle;
	kfreeze_set_summary(set, &status->set);
	if (set != cycle->set)
		return;
	status->verdict = cycle->verdict;
	status->cause = cycle->cause;
}

/* @set: the session's, or an older one that had been given up. */
static void kfreeze_cycle_publish(struct kfreeze_cycle *cycle,
				  struct kfreeze_set *set,
				  enum kfreeze_event_kind event)
{
	struct kfreeze_status status;

	kfreeze_cycle_fill_set(cycle, set, &status);
	if (!cycle->mute && event != KFREEZE_EVENT_UNSTUCK)
		kfreeze_cycle_ops->result(cycle->portid, &set->spare, &status);
	kfreeze_cycle_ops->event(event, &set->spare, &status);
}

static enum kfreeze_verdict kfreeze_cycle_judge(const struct kfreeze_cycle *cycle)
{
	switch (cycle->cause) {
	case KFREEZE_CAUSE_THAW:
		return cycle->was_frozen ? KFREEZE_VERDICT_OK
					 : KFREEZE_VERDICT_ABORTED;
	case KFREEZE_CAUSE_ERROR:
	case KFREEZE_CAUSE_FLUSH_DEADLINE:
		return KFREEZE_VERDICT_FAILED;
	case KFREEZE_CAUSE_DEADLINE:
		return KFREEZE_VERDICT_LOST;
	case KFREEZE_CAUSE_FOREIGN_THAW:
		return cycle->was_frozen ? KFREEZE_VERDICT_LOST
					 : KFREEZE_VERDICT_FAILED;
	default:
		return cycle->was_frozen ? KFREEZE_VERDICT_LOST
					 : KFREEZE_VERDICT_ABORTED;
	}
}

/* Writers were blocked until now: they get some time. */
static void kfreeze_cycle_pause(void)
{
	kfreeze_next_freeze = ktime_add_ms(
		ktime_get(), kfreeze_param_limits()->min_interval_ms);
}

/* The cycle is over: judge it, let go of its filesystems, tell. */
static void kfreeze_cycle_finish(struct kfreeze_cycle *cycle)
{
	struct kfreeze_summary summary;

	kfreeze_set_summary(cycle->set, &summary);
	if (cycle->cause == KFREEZE_CAUSE_THAW && summary.nr_lost)
		cycle->cause = KFREEZE_CAUSE_FOREIGN_THAW;
	cycle->verdict = kfreeze_cycle_judge(cycle);
	WRITE_ONCE(cycle->state, KFREEZE_STATE_IDLE);
	if (summary.blocked)
		kfreeze_cycle_pause();
	kfreeze_set_release(cycle->set);
	kfreeze_cycle_publish(cycle, cycle->set, KFREEZE_EVENT_OVER);
	atomic_dec(&kfreeze_nr_cycles);
	wake_up_all(&kfreeze_cycle_idle);
}

static void kfreeze_cycle_arm(struct kfreeze_cycle *cycle, u32 ms)
{
	cycle->deadline = ktime_add_ms(ktime_get(), ms);
	kfreeze_watchdog_arm(&cycle->watchdog, cycle->deadline);
}

/**
 * kfreeze_cycle_end - the only way out of a cycle, whatever ends it
 * @cycle: the cycle; nothing happens if it is over or on the way there
 * @cause: what ends it
 *
 * Context: process, with kfreeze_cycle_lock. Does not wait.
 */
void kfreeze_cycle_end(struct kfreeze_cycle *cycle, enum kfreeze_cause cause)
{
	bool expired = cause == KFREEZE_CAUSE_DEADLINE ||
		       cause == KFREEZE_CAUSE_FLUSH_DEADLINE;

	if (cycle->state == KFREEZE_STATE_IDLE ||
	    cycle->state == KFREEZE_STATE_THAWING)
		return;
	WRITE_ONCE(cycle->state, KFREEZE_STATE_THAWING);
	cycle->cause = cause;
	if (expired ? kfreeze_set_expire(cycle->set)
		    : kfreeze_set_thaw(cycle->set))
		kfreeze_cycle_finish(cycle);
	else
		kfreeze_cycle_arm(cycle, expired ? KFREEZE_EXPIRED_GRACE_MS
						 : KFREEZE_GRACE_MS);
}

static void kfreeze_cycle_expired(struct kfreeze_watchdog *watchdog)
{
	struct kfreeze_cycle *cycle = container_of(
		watchdog, struct kfreeze_cycle, watchdog);

	mutex_lock(&kfreeze_cycle_lock);
	/* it may be an old deadline that was too late to be moved */
	if (ktime_before(ktime_get(), cycle->deadline))
		goto out_unlock;
	switch (cycle->state) {
	case KFREEZE_STATE_FLUSHING:
		kfreeze_cycle_end(cycle, KFREEZE_CAUSE_FLUSH_DEADLINE);
		break;
	case KFREEZE_STATE_FREEZING:
	case KFREEZE_STATE_FROZEN:
		kfreeze_cycle_end(cycle, KFREEZE_CAUSE_DEADLINE);
		break;
	case KFREEZE_STATE_THAWING:
		if (kfreeze_set_give_up(cycle->set))
			kfreeze_cycle_finish(cycle);
		break;
	default:
		break;
	}
out_unlock:
	mutex_unlock(&kfreeze_cycle_lock);
}

static bool kfreeze_cycle_on_freezing(struct kfreeze_set *set)
{
	struct kfreeze_cycle *cycle = set->owner;
	bool go_on;

	mutex_lock(&kfreeze_cycle_lock);
	go_on = cycle->set == set && cycle->state == KFREEZE_STATE_FLUSHING;
	if (go_on) {
		WRITE_ONCE(cycle->state, KFREEZE_STATE_FREEZING);
		kfreeze_cycle_arm(cycle, cycle->timeout_ms);
	}
	mutex_unlock(&kfreeze_cycle_lock);
	return go_on;
}

static void kfreeze_cycle_on_frozen(struct kfreeze_set *set)
{
	struct kfreeze_cycle *cycle = set->owner;

	mutex_lock(&kfreeze_cycle_lock);
	if (cycle->set == set && cycle->state == KFREEZE_STATE_FREEZING) {
		WRITE_ONCE(cycle->state, KFREEZE_STATE_FROZEN);
		cycle->was_frozen = true;
		kfreeze_cycle_publish(cycle, set, KFREEZE_EVENT_FROZEN);
	}
	mutex_unlock(&kfreeze_cycle_lock);
}

/* Unless it has ended before. */
static void kfreeze_cycle_end_of(struct kfreeze_set *set, enum kfreeze_cause cause)
{
	struct kfreeze_cycle *cycle = set->owner;

	mutex_lock(&kfreeze_cycle_lock);
	if (cycle->set == set)
		kfreeze_cycle_end(cycle, cause);
	mutex_unlock(&kfreeze_cycle_lock);
}

static void kfreeze_cycle_on_failed(struct kfreeze_set *set)
{
	kfreeze_cycle_end_of(set, KFREEZE_CAUSE_ERROR);
}

static void kfreeze_cycle_on_lost(struct kfreeze_set *set)
{
	kfreeze_cycle_end_of(set, KFREEZE_CAUSE_FOREIGN_THAW);
}

static void kfreeze_cycle_on_settled(struct kfreeze_set *set)
{
	struct kfreeze_cycle *cycle = set->owner;

	mutex_lock(&kfreeze_cycle_lock);
	kfreeze_cycle_finish(cycle);
	mutex_unlock(&kfreeze_cycle_lock);
}

static void kfreeze_cycle_on_unstuck(struct kfreeze_set *set)
{
	struct kfreeze_cycle *cycle = set->owner;

	mutex_lock(&kfreeze_cycle_lock);
	/* else its end, which is about to be told, tells of no stuck ones */
	if (cycle->set != set || cycle->state != KFREEZE_STATE_THAWING) {
		kfreeze_cycle_pause();
		kfreeze_cycle_publish(cycle, set, KFREEZE_EVENT_UNSTUCK);
	}
	mutex_unlock(&kfreeze_cycle_lock);
}

static void kfreeze_cycle_on_gone(struct kfreeze_set *set)
{
	struct kfreeze_cycle *cycle = set->owner;

	cycle->gone(cycle);
}

static const struct kfreeze_set_ops kfreeze_cycle_set_ops = {
	.freezing = kfreeze_cycle_on_freezing,
	.frozen = kfreeze_cycle_on_frozen,
	.failed = kfreeze_cycle_on_failed,
	.lost = kfreeze_cycle_on_lost,
	.settled = kfreeze_cycle_on_settled,
	.unstuck = kfreeze_cycle_on_unstuck,
	.gone = kfreeze_cycle_on_gone,
};

/**
 * kfreeze_cycle_init - a session without a cycle
 * @cycle: to be filled in; @session and @portid are the caller's
 * @gone: called once for every kfreeze_cycle_start(), when the set of it does
 *	not need the cycle any more
 *
 * Context: any.
 */
void kfreeze_cycle_init(struct kfreeze_cycle *cycle,
			void (*gone)(struct kfreeze_cycle *cycle))
{
	cycle->gone = gone;
	kfreeze_watchdog_init(&cycle->watchdog, kfreeze_cycle_expired);
}

/**
 * kfreeze_cycle_may_start - have writers had their pause?
 *
 * Context: process, with kfreeze_cycle_lock.
 * Return: false if min_interval_ms has not passed since the last cycle of any
 * session.
 */
bool kfreeze_cycle_may_start(void)
{
	return !ktime_before(ktime_get(), kfreeze_next_freeze);
}

/**
 * kfreeze_cycle_start - a new cycle
 * @cycle: an idle one
 * @set: its filesystems, claimed; the former set is the caller's to put
 *
 * Context: process, with kfreeze_cycle_lock. Does not wait.
 */
void kfreeze_cycle_start(struct kfreeze_cycle *cycle, struct kfreeze_set *set)
{
	if (!++kfreeze_last_cycle)
		++kfreeze_last_cycle;
	set->cycle = kfreeze_last_cycle;
	cycle->set = set;
	WRITE_ONCE(cycle->state, KFREEZE_STATE_FLUSHING);
	atomic_inc(&kfreeze_nr_cycles);
	cycle->verdict = KFREEZE_VERDICT_NONE;
	cycle->cause = KFREEZE_CAUSE_NONE;
	cycle->was_frozen = false;
	cycle->loss_told = false;
	kfreeze_cycle_arm(cycle, cycle->flush_timeout_ms);
	kfreeze_set_start(set, &kfreeze_cycle_set_ops, cycle);
}

/**
 * kfreeze_cycle_orphan - the owner is gone: tell it nothing, thaw
 * @cycle: the cycle; nothing but kfreeze_cycle_wait() may follow
 *
 * Context: process, with kfreeze_cycle_lock. Does not wait.
 */
void kfreeze_cycle_orphan(struct kfreeze_cycle *cycle)
{
	cycle->mute = true;
	kfreeze_cycle_end(cycle, KFREEZE_CAUSE_OWNER);
}

/**
 * kfreeze_cycle_fill - what a cycle is doing
 * @cycle: the cycle
 * @status: filled in
 *
 * Context: process, with kfreeze_cycle_lock. Does not wait.
 */
void kfreeze_cycle_fill(const struct kfreeze_cycle *cycle,
			struct kfreeze_status *status)
{
	kfreeze_cycle_fill_set(cycle, cycle->set, status);
}

/**
 * kfreeze_cycle_wait - wait until a cycle that ends is over
 * @cycle: the cycle; no new one may start
 *
 * Context: may sleep until everything is thawed or has had its grace time;
 * without kfreeze_cycle_lock.
 */
void kfreeze_cycle_wait(struct kfreeze_cycle *cycle)
{
	wait_event(kfreeze_cycle_idle,
		   READ_ONCE(cycle->state) == KFREEZE_STATE_IDLE);
	kfreeze_watchdog_disarm_sync(&cycle->watchdog);
}

/**
 * kfreeze_cycle_wait_all - the same for all cycles
 *
 * Context: as kfreeze_cycle_wait().
 */
void kfreeze_cycle_wait_all(void)
{
	wait_event(kfreeze_cycle_idle, !atomic_read(&kfreeze_nr_cycles));
}
