// SPDX-License-Identifier: GPL-2.0
/*
 * A queue for all that thaws, of all sets. When no worker can be created, its
 * rescuer takes what is queued and runs it one after the other, so a job that
 * gets stuck would keep those queued behind it. Hence at most one job is queued
 * and has not begun: the others are due, and each queues the next one first.
 */
#include "job.h"

#include <linux/jiffies.h>
#include <linux/spinlock.h>

static struct workqueue_struct *kfreeze_job_queue;

static LIST_HEAD(kfreeze_jobs_due);
static bool kfreeze_job_is_queued; /* one, that has not begun */
/* Raw, and with interrupts off: foreign thaws add jobs as well. */
static DEFINE_RAW_SPINLOCK(kfreeze_job_lock);

/**
 * kfreeze_jobs_init - create the queue
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kfreeze_jobs_init(void)
{
	kfreeze_job_queue = alloc_workqueue(
		"kfreeze_thaw", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_HIGHPRI,
		WQ_MAX_ACTIVE);
	return kfreeze_job_queue ? 0 : -ENOMEM;
}

/**
 * kfreeze_jobs_exit - wait for what is queued, destroy the queue
 *
 * No job may be due. Context: may sleep.
 */
void kfreeze_jobs_exit(void)
{
	destroy_workqueue(kfreeze_job_queue);
}

/* Unless one waits for its worker already. The lock is held. */
static void kfreeze_job_queue_next(void)
{
	struct kfreeze_job *job = list_first_entry_or_null(
		&kfreeze_jobs_due, struct kfreeze_job, due);

	if (!job || kfreeze_job_is_queued)
		return;
	list_del(&job->due);
	kfreeze_job_is_queued = true;
	queue_work(kfreeze_job_queue, &job->work);
}

static void kfreeze_job_work(struct work_struct *work)
{
	struct kfreeze_job *job = container_of(work, struct kfreeze_job, work);
	unsigned long flags;

	raw_spin_lock_irqsave(&kfreeze_job_lock, flags);
	kfreeze_job_is_queued = false;
	kfreeze_job_queue_next();
	raw_spin_unlock_irqrestore(&kfreeze_job_lock, flags);
	job->run(job);
}

static void kfreeze_job_fire(struct timer_list *timer)
{
	kfreeze_job_add(container_of(timer, struct kfreeze_job, timer));
}

/**
 * kfreeze_job_init - prepare a job
 * @job: the job
 * @run: what it does, in process context; may wait for I/O
 *
 * Context: any.
 */
void kfreeze_job_init(struct kfreeze_job *job,
		      void (*run)(struct kfreeze_job *job))
{
	job->run = run;
	INIT_WORK(&job->work, kfreeze_job_work);
	timer_setup(&job->timer, kfreeze_job_fire, 0);
}

/**
 * kfreeze_job_add - run a job, after those that were added before
 * @job: the job; it is not waiting to run
 *
 * Allocates nothing. Context: any.
 */
void kfreeze_job_add(struct kfreeze_job *job)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&kfreeze_job_lock, flags);
	list_add_tail(&job->due, &kfreeze_jobs_due);
	kfreeze_job_queue_next();
	raw_spin_unlock_irqrestore(&kfreeze_job_lock, flags);
}

/**
 * kfreeze_job_retry - run a job some time later
 * @job: the job; it is not waiting to run
 * @delay: how much later, in jiffies
 *
 * Allocates nothing. Context: any.
 */
void kfreeze_job_retry(struct kfreeze_job *job, unsigned long delay)
{
	mod_timer(&job->timer, jiffies + delay);
}
