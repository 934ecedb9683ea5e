/* SPDX-License-Identifier: GPL-2.0 */
/* Who may freeze and thaw. */
#ifndef KFREEZE_SESSION_H
#define KFREEZE_SESSION_H

#include <linux/types.h>

#include <linux/kfreeze.h>

#include "cycle.h"

struct netlink_ext_ack;
struct sock;

int kfreeze_session_init(const struct kfreeze_cycle_ops *ops);
void kfreeze_session_exit(void);

void kfreeze_session_socket_died(u32 portid);
void kfreeze_session_bar(enum kfreeze_cause cause);
void kfreeze_session_unbar(enum kfreeze_cause cause);

int kfreeze_session_open(struct sock *sk, u32 portid, u32 *id);
int kfreeze_session_freeze(struct sock *sk, struct kfreeze_set *set,
			   u32 timeout_ms, u32 flush_timeout_ms, u32 *cycle,
			   u32 *bad, struct netlink_ext_ack *extack);
int kfreeze_session_thaw(struct sock *sk, u32 *cycle,
			 struct netlink_ext_ack *extack);
u32 kfreeze_session_rescue(void);

bool kfreeze_session_is_owner(struct sock *sk);
int kfreeze_session_status(struct sock *sk, u32 from,
			   struct kfreeze_status *status);
int kfreeze_session_record(u32 id, u32 cycle, u32 index,
			   struct kfreeze_record *record);

#endif
