/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two processes behind the ioctl backend. The freezer freezes and thaws;
 * the guard thaws when the freezer is gone. The freezer thaws when the monitor
 * or the guard is gone. All three share one struct child_cycle.
 */
#ifndef KFREEZE_FREEZER_CHILD_H
#define KFREEZE_FREEZER_CHILD_H

#include <linux/kfreeze.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One byte packets. */
#define CHILD_THAW 'T' /* monitor to freezer */
#define CHILD_FROZEN 'F' /* freezer to monitor */
#define CHILD_OVER 'O' /* freezer or guard to monitor */
#define CHILD_READY 'R' /* guard to freezer */

struct child_target {
	int fd; /* not O_PATH */
	unsigned int level;
	_Atomic enum kfreeze_target_state state;
	enum kfreeze_step step;
	int err;
	uint64_t frozen_since_ns; /* monotonic: start of the FIFREEZE */
	uint64_t flush_ns, freeze_ns, hold_ns, thaw_ns;
};

struct child_cycle {
	uint32_t timeout_ms, flush_timeout_ms;
	int rcu_fd; /* of rcu_expedited, or -1 */
	char rcu_saved; /* what it was before */
	atomic_bool rcu_raised;
	atomic_bool was_frozen; /* CHILD_FROZEN was sent */
	atomic_bool finished; /* nothing is left to thaw */
	/* valid with CHILD_OVER */
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	long blamed;
	unsigned int nr_frozen, nr_stuck;
	size_t nr_targets;
	struct child_target targets[];
};

/* A target that FIFREEZE cannot freeze is left out of the cycle. */
bool child_is_left_out(const struct child_target *target);

_Noreturn void child_run_freezer(struct child_cycle *cycle, int monitor_fd,
				 int guard_fd);

/* @freezer_pidfd becomes readable when no thread of the freezer is left. */
_Noreturn void child_run_guard(struct child_cycle *cycle, int monitor_fd,
			       int freezer_fd, int freezer_pidfd);

#endif
