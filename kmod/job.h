/* SPDX-License-Identifier: GPL-2.0 */
/* Works that thaw: none waits for a worker, and none behind a stuck one. */
#ifndef KFREEZE_JOB_H
#define KFREEZE_JOB_H

#include <linux/list.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

/**
 * struct kfreeze_job - something to do, once
 * @run: does it; may free the job
 * @due: in the list of those that are not queued yet
 * @work: on the queue
 * @timer: adds it again
 */
struct kfreeze_job {
	void (*run)(struct kfreeze_job *job);
	struct list_head due;
	struct work_struct work;
	struct timer_list timer;
};

int kfreeze_jobs_init(void);
void kfreeze_jobs_exit(void);

void kfreeze_job_init(struct kfreeze_job *job,
		      void (*run)(struct kfreeze_job *job));
void kfreeze_job_add(struct kfreeze_job *job);
void kfreeze_job_retry(struct kfreeze_job *job, unsigned long delay);

#endif
