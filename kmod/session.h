/* SPDX-License-Identifier: GPL-2.0 */
/* Who may freeze and thaw, and the state machine of what they do. */
#ifndef KFREEZE_SESSION_H
#define KFREEZE_SESSION_H

#include <linux/skbuff.h>
#include <linux/types.h>

#include <linux/kfreeze.h>

#include "set.h"

struct netlink_ext_ack;
struct sock;

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
 * struct kfreeze_session_ops - how a session reaches the outside
 * @result: tell the owner at @portid; send a message taken from @spare
 * @event: tell everybody who listens; send a message taken from @spare
 *
 * Called with the sessions' lock held: must neither wait nor call back.
 */
struct kfreeze_session_ops {
	void (*result)(u32 portid, struct sk_buff_head *spare,
		       const struct kfreeze_status *status);
	void (*event)(enum kfreeze_event event, struct sk_buff_head *spare,
		      const struct kfreeze_status *status);
};

/* Messages a session needs per cycle: FROZEN, its end and UNSTUCK. */
#define KFREEZE_SESSION_SPARE 5

int kfreeze_session_init(const struct kfreeze_session_ops *ops);
void kfreeze_session_exit(void);

void kfreeze_session_socket_died(u32 portid);
void kfreeze_session_bar(enum kfreeze_cause cause);
void kfreeze_session_unbar(void);

int kfreeze_session_open(struct sock *sk, u32 portid, u32 *id);
int kfreeze_session_freeze(struct sock *sk, struct kfreeze_set *set,
			   u32 timeout_ms, u32 flush_timeout_ms,
			   struct sk_buff_head *spare, u32 *cycle, u32 *bad,
			   struct netlink_ext_ack *extack);
int kfreeze_session_thaw(struct sock *sk, u32 *cycle,
			 struct netlink_ext_ack *extack);
u32 kfreeze_session_rescue(void);

bool kfreeze_session_is_owner(struct sock *sk);
int kfreeze_session_status(struct sock *sk, u32 from,
			   struct kfreeze_status *status);
int kfreeze_session_record(u32 id, u32 cycle, u32 index,
			   struct kfreeze_record *record);

#endif
