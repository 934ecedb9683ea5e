// SPDX-License-Identifier: GPL-2.0
/*
 * The freezer and the guard: leaders that touch no file and so cannot get
 * stuck, with one worker thread per filesystem, all made before the first
 * freeze. While frozen nothing here allocates, logs or opens.
 */
#include "freezer_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "freezer_list.h"
#include "freezer_worker.h"
#include "memory.h"
#include "privdrop.h"
#include "privdrop_seccomp.h"
#include "seqpacket.h"

#define RCU_EXPEDITED "/sys/kernel/rcu_expedited"
#define NSEC_PER_MSEC 1000000ULL
#define NEVER UINT64_MAX
#define GUARD_READY_MS 10000
#define SHORT_FLUSH_MS 250 /* what is written meanwhile is little */
#define THAW_GRACE_MS 2000 /* then what is still under way is called stuck */

/* What the leader waits for. */
enum wake {
	WAKE_DONE,
	WAKE_TIMEOUT,
	WAKE_THAW, /* asked by the monitor */
	WAKE_GONE, /* the monitor or the other child died */
};

/* One of the two processes; static because it is forked for one cycle. */
static struct {
	struct child_cycle *cycle;
	int monitor_fd, peer_fd; /* peer: the other child */
	int event_fd; /* readable when a worker has finished an order */
	long late; /* the first target that kept the cycle past its limit, or -1 */
} self = {.late = -1};

void child_open_rcu(struct child_cycle *cycle)
{
	cycle->rcu_fd = open(RCU_EXPEDITED, O_RDWR | O_CLOEXEC);
	if (cycle->rcu_fd >= 0 &&
	    pread(cycle->rcu_fd, &cycle->rcu_saved, 1, 0) != 1)
		cycle->rcu_saved = '\0';
}

/* Directories without the detour. */
int child_open(int path_fd)
{
	char path[32];
	int fd;

	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int child_identify(int fd, dev_t dev, struct child_identity *identity)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return -errno;
	memset(identity, 0, sizeof(*identity)); /* it is compared as a whole */
	identity->dev = dev;
	identity->type = fs.f_type;
	identity->id = fs.f_fsid.__val[0];
	return 0;
}

bool child_is_left_out(const struct child_target *target)
{
	return target->state == KFREEZE_TARGET_FAILED &&
	       target->err == -EOPNOTSUPP;
}

/* Whatever else the monitor had open is none of ours: its connections would
 * not end when it dies. */
static void close_all_but(int *keep, size_t nr)
{
	size_t i, j;
	int fd;

	for (i = 1; i < nr; i++) { /* insertion sort: nearly sorted already */
		fd = keep[i];
		for (j = i; j && keep[j - 1] > fd; j--)
			keep[j] = keep[j - 1];
		keep[j] = fd;
	}
	for (i = 0, fd = STDERR_FILENO + 1; i < nr; i++) {
		if (keep[i] > fd)
			close_range(fd, keep[i] - 1, 0);
		if (keep[i] >= fd)
			fd = keep[i] + 1;
	}
	close_range(fd, ~0U, 0);
}

static int keep_descriptors(int extra)
{
	struct child_cycle *cycle = self.cycle;
	size_t i, nr = 0;
	int *keep;

	keep = calloc(cycle->nr_targets + 5, sizeof(*keep));
	if (!keep)
		return -ENOMEM;
	for (i = 0; i < cycle->nr_targets; i++)
		keep[nr++] = cycle->targets[i].fd;
	keep[nr++] = cycle->rcu_fd;
	keep[nr++] = cycle->lock_fd;
	keep[nr++] = self.monitor_fd;
	keep[nr++] = self.peer_fd;
	keep[nr++] = extra;
	close_all_but(keep, nr);
	free(keep);
	return 0;
}

/* Signals meant for the monitor must not end us: we end when it does. */
static int set_up(struct child_cycle *cycle, int monitor_fd, int peer_fd,
		  int freezer_pidfd, const char *name)
{
	const int unwanted[] = {monitor_fd, peer_fd, cycle->lock_fd};
	sigset_t all;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, name);
	self.cycle = cycle;
	self.monitor_fd = monitor_fd;
	self.peer_fd = peer_fd;
	err = keep_descriptors(freezer_pidfd);
	if (err)
		return err;
	worker_set_freezer(freezer_pidfd);
	/* without it a page fault may need a frozen swap file; the monitor
	 * has warned if it is not allowed */
	memory_lock();
	self.event_fd = worker_start(cycle->targets, cycle->nr_targets,
				     unwanted, 3);
	err = self.event_fd < 0 ? self.event_fd : privdrop_freezer();
	return err ? err : privdrop_filter_freezer();
}

bool child_is_under_way(const struct child_target *target)
{
	enum kfreeze_target_state state = target->state;

	return state == KFREEZE_TARGET_FREEZING ||
	       state == KFREEZE_TARGET_FROZEN || state == KFREEZE_TARGET_THAWING;
}

bool child_is_settled(const struct child_cycle *cycle)
{
	size_t i;

	for (i = 0; i < cycle->nr_targets; i++) {
		if (child_is_under_way(&cycle->targets[i]))
			return false;
	}
	return true;
}

static bool none_is_freezing(void)
{
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		if (self.cycle->targets[i].state == KFREEZE_TARGET_FREEZING)
			return false;
	}
	return true;
}

static bool never(void)
{
	return false;
}

static bool all_settled(void)
{
	return child_is_settled(self.cycle);
}

/* The first target that failed, or -1. */
static long first_failed(void)
{
	const struct child_target *target;
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		target = &self.cycle->targets[i];
		if (target->state == KFREEZE_TARGET_LOST ||
		    (target->state == KFREEZE_TARGET_FAILED &&
		     !child_is_left_out(target)))
			return i;
	}
	return -1;
}

static void clear_event(void)
{
	uint64_t count;

	/* EAGAIN is fine: it is only a wake-up */
	if (read(self.event_fd, &count, sizeof(count)) < 0)
		return;
}

/* The first target in @state, or -1. */
static long first_in(enum kfreeze_target_state state)
{
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		if (self.cycle->targets[i].state == state)
			return i;
	}
	return -1;
}

/* What a readable socket means. A socket at its end stays readable. */
static bool has_ended(int fd, bool *thaw)
{
	char packet;
	ssize_t len = seqpacket_receive(fd, &packet, 1, MSG_DONTWAIT);

	if (len == 1 && packet == CHILD_THAW)
		*thaw = true;
	return len == 0 || (len < 0 && errno != EAGAIN);
}

/* Wait until @done, the deadline, or, if @listen, word from the others. */
static enum wake wait_until(bool (*done)(void), uint64_t deadline_ns, bool listen)
{
	struct pollfd fds[] = {
		{.fd = self.event_fd, .events = POLLIN},
		{.fd = self.monitor_fd, .events = POLLIN},
		{.fd = self.peer_fd, .events = POLLIN},
	};
	struct timespec left;
	bool thaw = false;
	uint64_t now;

	for (;;) {
		if (done())
			return WAKE_DONE;
		now = worker_now_ns();
		if (now >= deadline_ns)
			return WAKE_TIMEOUT;
		left.tv_sec = (deadline_ns - now) / (1000 * NSEC_PER_MSEC);
		left.tv_nsec = (deadline_ns - now) % (1000 * NSEC_PER_MSEC);
		if (ppoll(fds, listen ? 3 : 1,
			  deadline_ns == NEVER ? NULL : &left, NULL) <= 0)
			continue;
		if (fds[0].revents)
			clear_event();
		if (listen && fds[1].revents && has_ended(fds[1].fd, &thaw))
			return WAKE_GONE;
		if (listen && fds[2].revents && has_ended(fds[2].fd, &thaw))
			return WAKE_GONE;
		if (thaw)
			return WAKE_THAW;
	}
}

static enum kfreeze_cause cause_of(enum wake wake)
{
	switch (wake) {
	case WAKE_TIMEOUT:
		return KFREEZE_CAUSE_DEADLINE;
	case WAKE_THAW:
		return KFREEZE_CAUSE_THAW;
	case WAKE_GONE:
		return KFREEZE_CAUSE_OWNER;
	default:
		return first_failed() < 0 ? KFREEZE_CAUSE_NONE
					  : KFREEZE_CAUSE_ERROR;
	}
}

/* Three grace periods per filesystem are most of a clean freeze's time. */
static void raise_rcu(void)
{
	struct child_cycle *cycle = self.cycle;

	if (cycle->rcu_fd < 0 || cycle->rcu_saved != '0')
		return;
	atomic_store(&cycle->rcu_raised, true);
	if (pwrite(cycle->rcu_fd, "1", 1, 0) < 0)
		atomic_store(&cycle->rcu_raised, false);
}

static void lower_rcu(void)
{
	struct child_cycle *cycle = self.cycle;

	if (atomic_exchange(&cycle->rcu_raised, false) &&
	    pwrite(cycle->rcu_fd, "0", 1, 0) < 0)
		atomic_store(&cycle->rcu_raised, true);
}

/* Whether those before it on its disk have been flushed. */
static bool is_its_turn(const struct child_target *target)
{
	return target->flush_after < 0 ||
	       self.cycle->targets[target->flush_after].state >
		       KFREEZE_TARGET_FLUSHING;
}

/* Filesystems of one disk one by one: together they would only keep writers
 * waiting. After a failure those under way are the last. */
static bool flush_more(void)
{
	bool failed = first_failed() >= 0, done = true;
	struct child_target *target;
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		target = &self.cycle->targets[i];
		if (target->state == KFREEZE_TARGET_PENDING) {
			if (failed)
				continue;
			done = false;
			if (!is_its_turn(target))
				continue;
			atomic_store(&target->state, KFREEZE_TARGET_FLUSHING);
			worker_order(i, WORKER_FLUSH);
		}
		done &= target->state != KFREEZE_TARGET_FLUSHING;
	}
	return done;
}

static void forget_flush(void)
{
	struct child_target *target;
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		target = &self.cycle->targets[i];
		if (target->state == KFREEZE_TARGET_FLUSHED)
			atomic_store(&target->state, KFREEZE_TARGET_PENDING);
	}
}

static bool is_stacked(const struct child_cycle *cycle)
{
	size_t i;

	for (i = 0; i < cycle->nr_targets; i++) {
		if (cycle->targets[i].level)
			return true;
	}
	return false;
}

/* Twice: what was written during the first pass, or to a filesystem beneath
 * another one by that one's, is little by then. Once, if it is little anyway. */
static enum kfreeze_cause flush(void)
{
	uint64_t start = worker_now_ns();
	uint64_t deadline = start + self.cycle->flush_timeout_ms * NSEC_PER_MSEC;
	enum wake wake;

	wake = wait_until(flush_more, deadline, true);
	if (cause_of(wake) == KFREEZE_CAUSE_NONE &&
	    (is_stacked(self.cycle) ||
	     worker_now_ns() - start > SHORT_FLUSH_MS * NSEC_PER_MSEC)) {
		forget_flush();
		wake = wait_until(flush_more, deadline, true);
	}
	if (wake != WAKE_TIMEOUT)
		return cause_of(wake);
	self.late = first_in(KFREEZE_TARGET_FLUSHING);
	return KFREEZE_CAUSE_FLUSH_DEADLINE;
}

/* The state is set here, not by the worker: from the order on the target counts
 * as one to be thawed. */
static void order_level(unsigned int level)
{
	struct child_target *target;
	size_t i;

	for (i = 0; i < self.cycle->nr_targets; i++) {
		target = &self.cycle->targets[i];
		if (target->level != level ||
		    target->state != KFREEZE_TARGET_FLUSHED)
			continue;
		atomic_store(&target->state, KFREEZE_TARGET_FREEZING);
		worker_order(i, WORKER_FREEZE);
	}
}

/* From the highest level down. */
static enum kfreeze_cause freeze(uint64_t deadline)
{
	enum kfreeze_cause cause = KFREEZE_CAUSE_NONE;
	unsigned int level = KFREEZE_MAX_LEVELS;

	raise_rcu();
	while (cause == KFREEZE_CAUSE_NONE && level--) {
		order_level(level);
		cause = cause_of(wait_until(none_is_freezing, deadline, true));
	}
	if (cause == KFREEZE_CAUSE_DEADLINE)
		self.late = first_in(KFREEZE_TARGET_FREEZING);
	lower_rcu();
	return cause;
}

/* From the lowest level up, without waiting: one that lies on another waits for
 * it in the kernel, and a stuck one delays nobody else. */
static void order_all(enum kfreeze_target_state state, enum worker_order order)
{
	struct child_cycle *cycle = self.cycle;
	unsigned int level;
	size_t i;

	for (level = 0; level < KFREEZE_MAX_LEVELS; level++) {
		for (i = 0; i < cycle->nr_targets; i++) {
			if (cycle->targets[i].level == level &&
			    cycle->targets[i].state == state)
				worker_order(i, order);
		}
	}
}

static void tell_monitor(char packet)
{
	send(self.monitor_fd, &packet, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void count(void)
{
	struct child_cycle *cycle = self.cycle;
	size_t i;

	cycle->nr_frozen = cycle->nr_stuck = 0;
	for (i = 0; i < cycle->nr_targets; i++) {
		if (child_is_under_way(&cycle->targets[i]))
			cycle->nr_stuck++;
		else if (cycle->targets[i].state == KFREEZE_TARGET_THAWED)
			cycle->nr_frozen++;
	}
}

/* Everything is thawed or stuck: the verdict. */
static void tell_over(enum kfreeze_cause cause)
{
	struct child_cycle *cycle = self.cycle;
	bool was_frozen = atomic_load(&cycle->was_frozen);

	count();
	cycle->blamed = self.late < 0 ? first_failed() : self.late;
	cycle->cause = cause;
	if (cause == KFREEZE_CAUSE_ERROR ||
	    cause == KFREEZE_CAUSE_FLUSH_DEADLINE) {
		cycle->verdict = KFREEZE_VERDICT_FAILED;
	} else if (!was_frozen && cause != KFREEZE_CAUSE_DEADLINE) {
		cycle->verdict = KFREEZE_VERDICT_ABORTED;
	} else if (cause != KFREEZE_CAUSE_THAW) {
		cycle->verdict = KFREEZE_VERDICT_LOST;
	} else if (cycle->blamed >= 0) {
		cycle->verdict = KFREEZE_VERDICT_LOST;
		cycle->cause = KFREEZE_CAUSE_FOREIGN_THAW;
	} else {
		cycle->verdict = KFREEZE_VERDICT_OK;
	}
	tell_monitor(CHILD_OVER);
}

/* Tell, and stay for what is stuck: it is thawed when it returns. */
static _Noreturn void finish(enum kfreeze_cause cause)
{
	wait_until(all_settled, worker_now_ns() + THAW_GRACE_MS * NSEC_PER_MSEC,
		   false);
	tell_over(cause);
	wait_until(all_settled, NEVER, false);
	atomic_store(&self.cycle->finished, true);
	_exit(0);
}

static _Noreturn void end_cycle(enum kfreeze_cause cause)
{
	order_all(KFREEZE_TARGET_FREEZING, WORKER_THAW);
	order_all(KFREEZE_TARGET_FROZEN, WORKER_THAW);
	finish(cause);
}

static bool guard_is_ready(void)
{
	struct pollfd fd = {.fd = self.peer_fd, .events = POLLIN};
	char packet;

	return poll(&fd, 1, GUARD_READY_MS) == 1 &&
	       seqpacket_receive(self.peer_fd, &packet, 1, MSG_DONTWAIT) == 1;
}

_Noreturn void child_run_freezer(struct child_cycle *cycle, int monitor_fd,
				 int guard_fd)
{
	enum kfreeze_cause cause;
	uint64_t deadline;

	cycle->freezer_start = list_process_start(getpid());
	cycle->freezer_pid = getpid();
	if (set_up(cycle, monitor_fd, guard_fd, -1, "kfreeze-freezer") ||
	    !guard_is_ready())
		_exit(1);
	cause = flush();
	if (cause != KFREEZE_CAUSE_NONE)
		end_cycle(cause);
	deadline = worker_now_ns() + cycle->timeout_ms * NSEC_PER_MSEC;
	cause = freeze(deadline);
	if (cause != KFREEZE_CAUSE_NONE)
		end_cycle(cause);
	atomic_store(&cycle->was_frozen, true);
	tell_monitor(CHILD_FROZEN);
	end_cycle(cause_of(wait_until(never, deadline, true)));
}

/* The freezer died in the middle: what it was thawing may still be frozen, what
 * it was freezing may be soon. */
static _Noreturn void take_over(void)
{
	lower_rcu();
	order_all(KFREEZE_TARGET_FROZEN, WORKER_RESCUE);
	order_all(KFREEZE_TARGET_THAWING, WORKER_RESCUE);
	order_all(KFREEZE_TARGET_FREEZING, WORKER_RESCUE);
	finish(KFREEZE_CAUSE_OWNER);
}

_Noreturn void child_run_guard(struct child_cycle *cycle, int monitor_fd,
			       int freezer_fd, int freezer_pidfd)
{
	char packet = CHILD_READY;

	if (set_up(cycle, monitor_fd, freezer_fd, freezer_pidfd, "kfreeze-guard"))
		_exit(1);
	send(freezer_fd, &packet, 1, MSG_NOSIGNAL);
	while (seqpacket_receive(freezer_fd, &packet, 1, 0) > 0)
		;
	if (atomic_load(&cycle->finished))
		_exit(0);
	take_over();
}

_Noreturn void child_run_rescue(struct child_cycle *cycle, int monitor_fd,
				int freezer_pidfd)
{
	if (set_up(cycle, monitor_fd, -1, freezer_pidfd, "kfreeze-rescue"))
		_exit(1);
	take_over();
}
