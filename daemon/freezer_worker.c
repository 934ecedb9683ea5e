// SPDX-License-Identifier: GPL-2.0
/*
 * The threads in which FIFREEZE, FITHAW and syncfs block. Nothing in here
 * allocates, logs or opens once the threads run.
 */
#include "freezer_worker.h"

#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "freezer_child.h"
#include "privdrop.h"

#define NSEC_PER_SEC 1000000000ULL
#define STACK_SIZE 32768
#define THAW_RETRY_NS 100000000
#define RESCUE_RETRY_MS 20

struct worker {
	struct child_target *target;
	sem_t go; /* posted once per order */
	_Atomic enum worker_order order; /* the last one */
};

static struct {
	struct worker *workers;
	const int *unwanted; /* by threads */
	size_t nr_unwanted;
	atomic_size_t nr_starting;
	int event_fd;
	int freezer_pidfd;
	sem_t started;
} pool;

uint64_t worker_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void fail(struct child_target *target, enum kfreeze_step step, int err)
{
	target->step = step;
	target->err = err;
	atomic_store(&target->state, KFREEZE_TARGET_FAILED);
}

static void flush_target(struct child_target *target)
{
	uint64_t start = worker_now_ns();

	if (syncfs(target->fd)) {
		fail(target, KFREEZE_STEP_FLUSH, -errno);
		return;
	}
	target->flush_ns += worker_now_ns() - start;
	atomic_store(&target->state, KFREEZE_TARGET_FLUSHED);
}

/*
 * Whoever comes after a kill thaws what is marked as ours, so the mark is set
 * just before and taken back just after. One window is left that shared memory
 * cannot close: killed between the two marks, in or around a FIFREEZE that
 * fails, it looks like ours, and the freeze of somebody else is thawed.
 */
static int try_freeze(struct child_target *target)
{
	atomic_store(&target->is_ours, true);
	if (!ioctl(target->fd, FIFREEZE, 0))
		return 0;
	atomic_store(&target->is_ours, false);
	return -errno;
}

static void freeze_target(struct child_target *target)
{
	int err;

	target->frozen_since_ns = worker_now_ns();
	err = try_freeze(target);
	if (err && !(err == -EBUSY && target->accept_foreign)) {
		fail(target, KFREEZE_STEP_FREEZE, err);
		return;
	}
	target->freeze_ns = worker_now_ns() - target->frozen_since_ns;
	atomic_store(&target->state, KFREEZE_TARGET_FROZEN);
}

static void pause_before_retry(void)
{
	static const struct timespec pause = {.tv_nsec = THAW_RETRY_NS};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void undo_freeze(struct child_target *target)
{
	while (ioctl(target->fd, FITHAW, 0)) {
		target->step = KFREEZE_STEP_THAW;
		target->err = -errno;
		if (errno == EINVAL)
			break;
		pause_before_retry();
	}
	atomic_store(&target->is_ours, false);
}

/* Whether it has stayed frozen can only be asked by freezing it. */
static void check_foreign(struct child_target *target)
{
	if (try_freeze(target))
		return;
	undo_freeze(target);
	target->step = KFREEZE_STEP_THAW;
	target->err = -EINVAL;
}

/* EINVAL: it is not frozen any more, somebody else has thawed it. Any other
 * error leaves it frozen, which must not last. */
static void thaw_target(struct child_target *target)
{
	uint64_t start = worker_now_ns();

	atomic_store(&target->state, KFREEZE_TARGET_THAWING);
	if (atomic_load(&target->is_ours))
		undo_freeze(target);
	else
		check_foreign(target);
	target->thaw_ns = worker_now_ns() - start;
	target->hold_ns = worker_now_ns() - target->frozen_since_ns;
	atomic_store(&target->state, target->err == -EINVAL
					     ? KFREEZE_TARGET_LOST
					     : KFREEZE_TARGET_THAWED);
}

/* Somebody else's, and none of our threads is about to freeze it. */
static bool is_left_alone(const struct child_target *target, bool gone)
{
	return !atomic_load(&target->is_ours) &&
	       (gone || atomic_load(&target->state) == KFREEZE_TARGET_FROZEN);
}

/*
 * A thread of the freezer that is still in FIFREEZE, and cannot be killed, may
 * freeze later: until all are gone EINVAL means nothing.
 */
static void rescue_target(struct child_target *target)
{
	struct pollfd freezer = {.fd = pool.freezer_pidfd, .events = POLLIN};
	uint64_t start = worker_now_ns();
	bool gone = false;

	while (!is_left_alone(target, gone)) {
		if (atomic_load(&target->is_ours)) {
			if (!ioctl(target->fd, FITHAW, 0))
				break;
			if (errno == EINVAL && gone)
				break;
		}
		if (gone)
			pause_before_retry();
		else
			gone = poll(&freezer, 1, RESCUE_RETRY_MS) == 1;
	}
	target->thaw_ns = worker_now_ns() - start;
	target->hold_ns = worker_now_ns() - target->frozen_since_ns;
	atomic_store(&target->state, KFREEZE_TARGET_THAWED);
}

static void close_unwanted(void)
{
	size_t i;

	for (i = 0; i < pool.nr_unwanted; i++)
		close(pool.unwanted[i]);
	sem_post(&pool.started);
}

static void follow_order(struct worker *worker)
{
	struct child_target *target = worker->target;

	switch (atomic_load(&worker->order)) {
	case WORKER_CLOSE:
		close_unwanted();
		break;
	case WORKER_FLUSH:
		flush_target(target);
		break;
	case WORKER_FREEZE:
		freeze_target(target);
		break;
	case WORKER_THAW:
		if (atomic_load(&target->state) == KFREEZE_TARGET_FROZEN)
			thaw_target(target);
		else if (atomic_load(&target->state) == KFREEZE_TARGET_FREEZING)
			/* this order has overtaken the one to freeze */
			atomic_store(&target->state, KFREEZE_TARGET_FLUSHED);
		break;
	case WORKER_RESCUE:
		rescue_target(target);
		break;
	default:
		break;
	}
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	if (privdrop_freezer_thread())
		fail(worker->target, KFREEZE_STEP_FLUSH, -EPERM);
	if (atomic_fetch_sub(&pool.nr_starting, 1) == 1)
		sem_post(&pool.started);
	for (;;) {
		while (sem_wait(&worker->go))
			;
		follow_order(worker);
		/* cannot fail: a count of 2^64 is out of reach */
		eventfd_write(pool.event_fd, 1);
	}
	return NULL;
}

static int start_threads(size_t nr)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t i;
	int err;

	pool.nr_starting = nr;
	err = -pthread_attr_init(&attr);
	if (err)
		return err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (i = 0; !err && i < nr; i++)
		err = -pthread_create(&thread, &attr, worker_main,
				      &pool.workers[i]);
	pthread_attr_destroy(&attr);
	while (!err && sem_wait(&pool.started))
		;
	return err;
}

/* A worker that is stuck in the kernel outlives SIGKILL, and would keep open the
 * sockets by whose end others learn of our death. So the leader takes a copy of
 * the table of descriptors, and they disappear from what the workers share. */
static int part_with_workers(void)
{
	if (unshare(CLONE_FILES))
		return -errno;
	worker_order(0, WORKER_CLOSE);
	while (sem_wait(&pool.started))
		;
	return 0;
}

int worker_start(struct child_target *targets, size_t nr, const int *unwanted,
		 size_t nr_unwanted)
{
	size_t i;
	int err;

	pool.unwanted = unwanted;
	pool.nr_unwanted = nr_unwanted;
	pool.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool.workers = calloc(nr, sizeof(*pool.workers));
	if (pool.event_fd < 0 || !pool.workers || sem_init(&pool.started, 0, 0))
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		pool.workers[i].target = &targets[i];
		sem_init(&pool.workers[i].go, 0, 0);
	}
	err = start_threads(nr);
	if (!err)
		err = part_with_workers();
	return err ? err : pool.event_fd;
}

void worker_set_freezer(int pidfd)
{
	pool.freezer_pidfd = pidfd;
}

void worker_order(size_t index, enum worker_order order)
{
	atomic_store(&pool.workers[index].order, order);
	sem_post(&pool.workers[index].go);
}
