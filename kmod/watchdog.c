// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlines, kept by one real-time thread of their own: it exists before the
 * first freeze, so that an expiry needs neither memory for a new worker nor a
 * share of the CPU from whatever fills the machine.
 */
#include "watchdog.h"

#include <linux/err.h>
#include <linux/sched.h>

static struct kthread_worker *kfreeze_watchdog_worker;

static void kfreeze_watchdog_run(struct kthread_work *work)
{
	struct kfreeze_watchdog *watchdog = container_of(
		work, struct kfreeze_watchdog, work.work);

	watchdog->expired(watchdog);
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
	kthread_init_delayed_work(&watchdog->work, kfreeze_watchdog_run);
	watchdog->expired = expired;
}

/**
 * kfreeze_watchdog_arm - set or move the deadline
 * @watchdog: the deadline
 * @delay: jiffies from now
 *
 * Context: any.
 */
void kfreeze_watchdog_arm(struct kfreeze_watchdog *watchdog, unsigned long delay)
{
	kthread_mod_delayed_work(kfreeze_watchdog_worker, &watchdog->work, delay);
}

/**
 * kfreeze_watchdog_disarm_sync - drop the deadline
 * @watchdog: the deadline
 *
 * Context: may sleep; waits for a callback that is running, so it must not
 * be called from there nor with a lock that it takes.
 */
void kfreeze_watchdog_disarm_sync(struct kfreeze_watchdog *watchdog)
{
	kthread_cancel_delayed_work_sync(&watchdog->work);
}
