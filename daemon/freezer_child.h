/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two processes behind the ioctl backend. The freezer freezes and thaws;
 * the guard thaws when the freezer is gone. The freezer thaws when the monitor
 * or the guard is gone. All three share one struct child_cycle, by which a
 * rescue thaws if all have been killed.
 */
#ifndef KFREEZE_FREEZER_CHILD_H
#define KFREEZE_FREEZER_CHILD_H

#include <linux/kfreeze.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One byte packets. */
#define CHILD_THAW 'T' /* monitor to freezer */
#define CHILD_FROZEN 'F' /* freezer to monitor */
#define CHILD_OVER 'O' /* freezer or guard to monitor */
#define CHILD_READY 'R' /* guard to freezer */

#define CHILD_VERSION_SIZE 16

/* A filesystem, by whatever path. A device number may have another owner by
 * now; the id is the first half of f_fsid, because btrfs mixes the subvolume
 * into the second. */
struct child_identity {
	dev_t dev; /* of the superblock */
	int64_t type;
	int32_t id;
};

struct child_target {
	int fd; /* not O_PATH; -1: there is nothing to freeze */
	unsigned int level;
	long flush_after; /* the one before it on its disk, or -1 */
	struct child_identity identity;
	bool accept_foreign; /* being frozen by somebody else is enough */
	/* A FIFREEZE of ours may have frozen it. False of one that is FROZEN:
	 * somebody else has, and it is left to him. */
	atomic_bool is_ours;
	_Atomic enum kfreeze_target_state state;
	enum kfreeze_step step;
	int err;
	uint64_t frozen_since_ns; /* monotonic: start of the FIFREEZE */
	uint64_t flush_ns, freeze_ns, hold_ns, thaw_ns;
};

struct child_cycle {
	char version[CHILD_VERSION_SIZE]; /* of the program that made it */
	uint32_t timeout_ms, flush_timeout_ms;
	int lock_fd; /* of the list that this is, or -1 */
	/* once it runs; see list_process_start() */
	pid_t freezer_pid;
	uint64_t freezer_start;
	int rcu_fd; /* of rcu_expedited, or -1 */
	char rcu_saved; /* what it was before */
	atomic_bool rcu_raised;
	atomic_bool was_frozen; /* CHILD_FROZEN was sent */
	atomic_bool finished; /* nothing is left to thaw, nor will be */
	/* valid with CHILD_OVER */
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	long blamed;
	unsigned int nr_frozen, nr_stuck;
	size_t nr_targets;
	struct child_target targets[];
};

/* Before the processes start. No expedited grace periods if the file cannot be
 * opened: freezing takes longer. */
void child_open_rcu(struct child_cycle *cycle);

/* FIFREEZE needs more than O_PATH. A descriptor or -errno. */
int child_open(int path_fd);

/* -errno if @fd cannot say. */
int child_identify(int fd, dev_t dev, struct child_identity *identity);

/* A target that FIFREEZE cannot freeze is left out of the cycle. */
bool child_is_left_out(const struct child_target *target);

/* It is frozen, or may be soon. */
bool child_is_under_way(const struct child_target *target);
bool child_is_settled(const struct child_cycle *cycle);

_Noreturn void child_run_freezer(struct child_cycle *cycle, int monitor_fd,
				 int guard_fd);

/* @freezer_pidfd becomes readable when no thread of the freezer is left. */
_Noreturn void child_run_guard(struct child_cycle *cycle, int monitor_fd,
			       int freezer_fd, int freezer_pidfd);

/* A guard for a cycle whose freezer and guard are dead. */
_Noreturn void child_run_rescue(struct child_cycle *cycle, int monitor_fd,
				int freezer_pidfd);

#endif
