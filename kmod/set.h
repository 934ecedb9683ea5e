/* SPDX-License-Identifier: GPL-2.0 */
/* The set of filesystems that are frozen together: its life and its record. */
#ifndef KFREEZE_SET_H
#define KFREEZE_SET_H

#include <linux/kref.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "target.h"

struct kfreeze_set;

/**
 * struct kfreeze_set_ops - what a set tells its owner, from a worker
 * @freezing: writers can block from now on. Return: false to stop here
 * @frozen: every target is frozen
 * @failed: a target failed, or the owner has stopped it; else it is to call
 *	kfreeze_set_thaw() now
 * @lost: somebody else thawed a target; the owner is to call
 *	kfreeze_set_thaw()
 * @settled: what kfreeze_set_thaw() began is done
 * @unstuck: the last target that kfreeze_set_give_up() gave up is thawed
 * @gone: the set will not call any more
 *
 * None is called with a lock held.
 */
struct kfreeze_set_ops {
	bool (*freezing)(struct kfreeze_set *set);
	void (*frozen)(struct kfreeze_set *set);
	void (*failed)(struct kfreeze_set *set);
	void (*lost)(struct kfreeze_set *set);
	void (*settled)(struct kfreeze_set *set);
	void (*unstuck)(struct kfreeze_set *set);
	void (*gone)(struct kfreeze_set *set);
};

/**
 * struct kfreeze_set - filesystems that are frozen together
 * @ref: one of the owner's, one per work or job that is to run
 * @ops: calls to the owner, NULL until kfreeze_set_start()
 * @owner: for the owner's use
 * @cycle: likewise
 * @spare: messages about it, allocated before anything is frozen
 * @run: the work that leads through flush and freeze
 * @wait: where @run waits for the targets' works
 * @levels: bit n: there are targets of level n
 * @lock: protects all that follows, and the targets' records
 * @stop: nothing more is to be frozen, everything is to be thawed
 * @settled: the owner has been told, or knows
 * @released: targets are released as soon as they are at rest
 * @expedited: RCU grace periods are expedited for this set
 * @blame: the first target that failed
 * @nr_running: targets whose flush or freeze is queued or runs
 * @nr_held: targets frozen, or on the way there or back, that are not late
 * @nr_late: targets on the way there or back that were given up
 * @since: when the first writer could block; 0: never
 * @until: when the last target was thawed
 * @nr: number of targets
 * @target: the targets, in the order of the request
 */
struct kfreeze_set {
	struct kref ref;
	const struct kfreeze_set_ops *ops;
	void *owner;
	u32 cycle;
	struct sk_buff_head spare;
	struct work_struct run;
	wait_queue_head_t wait;
	u64 levels;
	spinlock_t lock; /* protects what follows, and the records */
	bool stop;
	bool settled;
	bool released;
	bool expedited;
	struct kfreeze_target *blame;
	unsigned int nr_running;
	unsigned int nr_held;
	unsigned int nr_late;
	ktime_t since;
	ktime_t until;
	unsigned int nr;
	struct kfreeze_target target[];
};

/**
 * struct kfreeze_summary - a set in figures
 * @nr: targets
 * @nr_frozen: targets that are frozen, or were until our own thaw
 * @nr_lost: targets that somebody else thawed
 * @nr_stuck: targets given up and still on the way
 * @blocked: writers could block
 * @hold_ns: from the first writer that could block to the last thaw so far
 * @blamed: @blame is filled in
 * @blame: the first target that failed
 */
struct kfreeze_summary {
	unsigned int nr;
	unsigned int nr_frozen;
	unsigned int nr_lost;
	unsigned int nr_stuck;
	bool blocked;
	u64 hold_ns;
	bool blamed;
	struct kfreeze_record blame;
};

#define kfreeze_for_each_target(set, target)                                 \
	for ((target) = (set)->target; (target) < (set)->target + (set)->nr; \
	     (target)++)

int kfreeze_set_init(void);
void kfreeze_set_exit(void);

struct kfreeze_set *kfreeze_set_alloc(unsigned int nr);
int kfreeze_set_pin(struct kfreeze_set *set, u32 index, int fd, u8 level,
		    u32 disk_nr);
int kfreeze_set_claim(struct kfreeze_set *set, u32 *bad);
void kfreeze_set_release(struct kfreeze_set *set);
void kfreeze_set_put(struct kfreeze_set *set);

void kfreeze_set_blame(struct kfreeze_set *set, struct kfreeze_target *target,
		       enum kfreeze_step step, int err);
void kfreeze_set_summary(struct kfreeze_set *set,
			 struct kfreeze_summary *summary);
void kfreeze_set_record(struct kfreeze_set *set, u32 index,
			struct kfreeze_record *record);

#endif
