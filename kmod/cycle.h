/* SPDX-License-Identifier: GPL-2.0 */
/* One cycle after the other: the state machine from FREEZE to the last thaw. */
#ifndef KFREEZE_CYCLE_H
#define KFREEZE_CYCLE_H

#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <linux/types.h>

#include <linux/kfreeze.h>

#include "set.h"
#include "watchdog.h"

/**
 * struct kfreeze_status - a session at one moment
 * @session: its id
 * @cycle: its newest cycle, 0: none so far
 * @state: what it is doing
 * @verdict: what the cycle was worth
 * @cause: what ended it
 * @remaining_ms: until the deadline; 0 unless FREEZING or FROZEN
 * @set: the cycle's filesystems in figures
 */
struct kfreeze_status {
	u32 session;
	u32 cycle;
	enum kfreeze_state state;
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	u32 remaining_ms;
	struct kfreeze_summary set;
};

/**
 * struct kfreeze_cycle_ops - how a cycle reaches the outside
 * @result: tell the owner at @portid; send a message taken from @spare
 * @event: tell everybody who listens; send a message taken from @spare
 *
 * Called with kfreeze_cycle_lock held: must neither wait nor call back.
 */
struct kfreeze_cycle_ops {
	void (*result)(u32 portid, struct sk_buff_head *spare,
		       const struct kfreeze_status *status);
	void (*event)(enum kfreeze_event_kind event, struct sk_buff_head *spare,
		      const struct kfreeze_status *status);
};

/* Messages a set needs: FROZEN and its end, both as event too, UNSTUCK. */
#define KFREEZE_CYCLE_SPARE 5

/**
 * struct kfreeze_cycle - the newest cycle of a session
 * @session: id of the session
 * @portid: where to send its messages
 * @mute: there is nobody to send them to
 * @state: what it is doing
 * @verdict: what it was worth
 * @cause: what ended it
 * @was_frozen: FROZEN was reached
 * @loss_told: a THAW has been answered with the loss of it
 * @set: its filesystems; NULL before the first cycle
 * @timeout_ms: time limit of the freeze
 * @flush_timeout_ms: of the flush before it
 * @deadline: of the flush, the freeze or the thaw
 * @watchdog: keeps @deadline
 * @gone: called when a set does not need the cycle any more
 *
 * Protected by kfreeze_cycle_lock.
 */
struct kfreeze_cycle {
	u32 session;
	u32 portid;
	bool mute;
	enum kfreeze_state state;
	enum kfreeze_verdict verdict;
	enum kfreeze_cause cause;
	bool was_frozen;
	bool loss_told;
	struct kfreeze_set *set;
	u32 timeout_ms;
	u32 flush_timeout_ms;
	ktime_t deadline;
	struct kfreeze_watchdog watchdog;
	void (*gone)(struct kfreeze_cycle *cycle);
};

/*
 * Protects all cycles and what holds them. Works take it: never wait for any
 * while holding it.
 */
extern struct mutex kfreeze_cycle_lock;

void kfreeze_cycle_use(const struct kfreeze_cycle_ops *ops);
void kfreeze_cycle_init(struct kfreeze_cycle *cycle,
			void (*gone)(struct kfreeze_cycle *cycle));
bool kfreeze_cycle_may_start(void);
void kfreeze_cycle_start(struct kfreeze_cycle *cycle, struct kfreeze_set *set);
void kfreeze_cycle_end(struct kfreeze_cycle *cycle, enum kfreeze_cause cause);
void kfreeze_cycle_orphan(struct kfreeze_cycle *cycle);
void kfreeze_cycle_fill(const struct kfreeze_cycle *cycle,
			struct kfreeze_status *status);
void kfreeze_cycle_wait(struct kfreeze_cycle *cycle);
void kfreeze_cycle_wait_all(void);

#endif
