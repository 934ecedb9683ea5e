// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlines, kept by one real-time thread of their own: it exists before the
 * first freeze, so that an expiry needs neither memory for a new worker nor a
 * share of the CPU from whatever fills the machine. The timers are hrtimers:
 * others may be late by an eighth. Hard ones: on a real-time kernel the others
 * run in a thread that has no priority.
 */
#include "watchdog.h"

#include <linux/err.h>
#include <linux/sched.h>

static struct kthread_worker *kfreeze_watchdog_worker;

static void kfreeze_watchdog_run(struct kthread_work *work)
{
	struct kfreeze_watchdog *watchdog = container_of(
		work, struct kfreeze_watchdog, work);

	watchdog->expired(watchdog);
}

static enum hrtimer_restart kfreeze_watchdog_fire(struct hrtimer *timer)
{
	struct kfreeze_watchdog *watchdog = container_of(
		timer, struct kfreeze_watchdog, timer);

	kthread_queue_work(kfreeze_watchdog_worker, &watchdog->work);
	return HRTIMER_NORESTART;
}

/**
 * kfreeze_watchdog_start - create the thread
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int kfreeze_watchdog_start(void)
{
	struct kthread_worker *worker;

	worker = kthread_run_worker(0, "kfreeze_watchdog");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	sched_set_fifo_low(worker->task);
	kfreeze_watchdog_worker = worker;
	return 0;
}

/**
 * kfreeze_watchdog_stop - end the thread
 *
 * Every watchdog must have been disarmed. Context: may sleep.
 */
void kfreeze_watchdog_stop(void)
{
	kthread_destroy_worker(kfreeze_watchdog_worker);
}

/**
 * kfreeze_watchdog_init - prepare a deadline
 * @watchdog: the deadline
 * @expired: called in the watchdog's thread; may sleep, but delays others
 *
 * Context: any.
 */
void kfreeze_watchdog_init(struct kfreeze_watchdog *watchdog,
			   void (*expired)(struct kfreeze_watchdog *watchdog))
{
	hrtimer_setup(&watchdog->timer, kfreeze_watchdog_fire, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
	kthread_init_work(&watchdog->work, kfreeze_watchdog_run);
	watchdog->expired = expired;
}

/**
 * kfreeze_watchdog_arm - set or move the deadline
 * @watchdog: the deadline
 * @deadline: of ktime_get()
 *
 * A callback for an earlier one may still come. Context: any.
 */
void kfreeze_watchdog_arm(struct kfreeze_watchdog *watchdog, ktime_t deadline)
{
	hrtimer_start(&watchdog->timer, deadline, HRTIMER_MODE_ABS_HARD);
}

/**
 * kfreeze_watchdog_disarm_sync - drop the deadline
 * @watchdog: the deadline
 *
 * The callback must not arm it again. Context: may sleep; waits for a callback
 * that is running, so it must not be called with a lock which that takes.
 */
void kfreeze_watchdog_disarm_sync(struct kfreeze_watchdog *watchdog)
{
	hrtimer_cancel(&watchdog->timer);
	kthread_cancel_work_sync(&watchdog->work);
}
