/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Freezing a set of filesystems, by the kernel module or by FIFREEZE. One
 * cycle at a time, asynchronous: what happens is told by notices.
 */
#ifndef KFREEZE_FREEZER_H
#define KFREEZE_FREEZER_H

#include <linux/kfreeze.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FREEZER_TEXT_MAX 256

struct freezer_target {
	int fd; /* O_PATH, needed until freezer_freeze() returns */
	unsigned int level;
	unsigned int disk; /* flushed in turn if it is the same; 0: unknown */
	dev_t dev; /* of the superblock */
	/* the record, from freezer_records() */
	enum kfreeze_target_state state;
	enum kfreeze_step step; /* where err happened */
	int err; /* 0 or -errno; -EOPNOTSUPP: left out, not a failure */
	uint64_t flush_ns, freeze_ns, hold_ns, thaw_ns;
};

struct freezer_request {
	const struct freezer_target *targets;
	size_t nr_targets;
	uint32_t timeout_ms, flush_timeout_ms;
	bool accept_foreign; /* what is frozen already counts as frozen */
	/* set if the request is refused */
	long blamed; /* the target at fault, or -1 */
	char text[FREEZER_TEXT_MAX]; /* more than the errno says, or "" */
};

struct freezer_notice {
	enum kfreeze_state state; /* FROZEN, or IDLE when the cycle is over */
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	unsigned int nr_frozen; /* IDLE: stayed frozen until the thaw */
	unsigned int nr_stuck; /* still being frozen or thawed */
	long blamed; /* the first target at fault, or -1 */
};

/* A backend. open() gets the descriptor to register with what dispatch() reads.
 * freeze() returns -ENOTCONN if it has to be closed and opened again. close()
 * ends the cycle: everything is thawed. */
struct freezer_ops {
	const char *name;
	const char *weaker; /* what another one would do better, or "" */
	int (*open)(int epoll_fd);
	int (*freeze)(struct freezer_request *request);
	int (*thaw)(void);
	int (*dispatch)(struct freezer_notice *notice);
	int (*records)(struct freezer_target *targets, size_t nr);
	void (*close)(void);
};

extern const struct freezer_ops freezer_kmod, freezer_ioctl;

#define FREEZER_IOCTL_WEAKER                                            \
	"a thaw by somebody else is noticed only at the end, other "    \
	"mount namespaces are found by /proc only, what FIFREEZE does " \
	"not support, such as vfat, is left out"

/* Whether the module gives us a session, as a freeze would need. -ENOENT: there
 * is no module. */
int freezer_kmod_probe(void);

/* Thaw what any session of the module holds. -ENOENT: there is no module. */
int freezer_kmod_rescue(void);

/* Says in the log which backend there is now. @only_kmod: it is the module,
 * whose session is kept, so that the right to open another is not needed; an
 * error, logged, without it. 0 or -errno. */
int freezer_init(bool only_kmod);

/* Readable when freezer_dispatch() has work. */
int freezer_fd(void);

/* The backend of the current or last cycle. */
const char *freezer_name(void);
const char *freezer_weaker(void);

/* Start a cycle with the best backend there is now. 0: notices will follow. */
int freezer_freeze(struct freezer_request *request);

/* End the cycle; before FROZEN is told this aborts it. The notice follows. */
int freezer_thaw(void);

/* Give up on the cycle's backend, which thaws everything by itself. No notice
 * follows. */
void freezer_abandon(void);

/* After a cycle: let go of the module, which may then be unloaded, unless there
 * is no other backend. */
void freezer_release(void);

/* One notice; -EAGAIN if there is none. */
int freezer_dispatch(struct freezer_notice *notice);

/* Fill in the records of the last cycle's targets. */
int freezer_records(struct freezer_target *targets, size_t nr);

/* "its deadline passed" */
const char *freezer_cause_name(enum kfreeze_cause cause);

const char *freezer_step_name(enum kfreeze_step step);

#endif
