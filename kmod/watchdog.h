/* SPDX-License-Identifier: GPL-2.0 */
/* A deadline, kept by a thread that exists before anything is frozen. */
#ifndef KFREEZE_WATCHDOG_H
#define KFREEZE_WATCHDOG_H

#include <linux/hrtimer.h>
#include <linux/kthread.h>

/**
 * struct kfreeze_watchdog - one deadline
 * @timer: queues @work at the deadline
 * @work: runs in the watchdog's thread
 * @expired: called there when the deadline has passed
 */
struct kfreeze_watchdog {
	struct hrtimer timer;
	struct kthread_work work;
	void (*expired)(struct kfreeze_watchdog *watchdog);
};

int kfreeze_watchdog_start(void);
void kfreeze_watchdog_stop(void);
void kfreeze_watchdog_init(struct kfreeze_watchdog *watchdog,
			   void (*expired)(struct kfreeze_watchdog *watchdog));
void kfreeze_watchdog_arm(struct kfreeze_watchdog *watchdog, ktime_t deadline);
void kfreeze_watchdog_disarm_sync(struct kfreeze_watchdog *watchdog);

#endif
