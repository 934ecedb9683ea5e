// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: attributes in, calls out, results and events.
 * Generic netlink holds a lock of the whole machine around every doit, so
 * none of them waits for anything.
 */
#include "netlink.h"

#include <linux/module.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "param.h"
#include "request.h"
#include "session.h"
#include "version.h"

/* Enough for every message but a dump: about 30 attributes of 12 bytes. */
#define KFREEZE_NL_MSG_SIZE 768

static struct genl_family kfreeze_nl_family;

static const struct nla_policy kfreeze_nl_freeze_policy[KFREEZE_A_MAX + 1] = {
	[KFREEZE_A_TARGETS] = {.type = NLA_NESTED},
	[KFREEZE_A_TIMEOUT_MS] = {.type = NLA_U32},
	[KFREEZE_A_FLUSH_TIMEOUT_MS] = {.type = NLA_U32},
};

/* For commands without attributes: refuses all. */
static const struct nla_policy kfreeze_nl_empty_policy[KFREEZE_A_PAD + 1];
#define KFREEZE_NL_NO_ATTRS                \
	.policy = kfreeze_nl_empty_policy, \
	.maxattr = ARRAY_SIZE(kfreeze_nl_empty_policy) - 1

static int kfreeze_nl_put_record(struct sk_buff *skb,
				 const struct kfreeze_record *record)
{
	const struct {
		int attr;
		u64 ns;
	} times[] = {
		{KFREEZE_A_TARGET_FLUSH_NS, record->flush_ns},
		{KFREEZE_A_TARGET_FREEZE_NS, record->freeze_ns},
		{KFREEZE_A_TARGET_HOLD_NS, record->hold_ns},
		{KFREEZE_A_TARGET_THAW_NS, record->thaw_ns},
	};
	struct nlattr *nest;
	unsigned int i;

	nest = nla_nest_start(skb, KFREEZE_A_TARGET);
	if (!nest || nla_put_u32(skb, KFREEZE_A_TARGET_INDEX, record->index) ||
	    nla_put_u8(skb, KFREEZE_A_TARGET_LEVEL, record->level) ||
	    nla_put_u32(skb, KFREEZE_A_TARGET_MAJOR, MAJOR(record->dev)) ||
	    nla_put_u32(skb, KFREEZE_A_TARGET_MINOR, MINOR(record->dev)) ||
	    nla_put_string(skb, KFREEZE_A_TARGET_FSTYPE, record->fstype) ||
	    nla_put_u32(skb, KFREEZE_A_TARGET_STATE, record->state) ||
	    nla_put_u32(skb, KFREEZE_A_TARGET_STEP, record->step) ||
	    nla_put_s32(skb, KFREEZE_A_TARGET_ERROR, record->err))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(times); i++)
		if (nla_put_u64_64bit(skb, times[i].attr, times[i].ns,
				      KFREEZE_A_TARGET_PAD))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What RESULT, EVENT and STATUS have in common. */
static int kfreeze_nl_put_status(struct sk_buff *skb,
				 const struct kfreeze_status *status)
{
	const struct kfreeze_summary *set = &status->set;
	int err = set->blamed ? set->blame.err : 0;

	if (nla_put_u32(skb, KFREEZE_A_SESSION, status->session) ||
	    nla_put_u32(skb, KFREEZE_A_STATE, status->state))
		return -EMSGSIZE;
	if (!status->cycle)
		return 0;
	if (nla_put_u32(skb, KFREEZE_A_CYCLE, status->cycle) ||
	    nla_put_u32(skb, KFREEZE_A_VERDICT, status->verdict) ||
	    nla_put_u32(skb, KFREEZE_A_CAUSE, status->cause) ||
	    nla_put_s32(skb, KFREEZE_A_ERROR, err) ||
	    nla_put_u32(skb, KFREEZE_A_NR_TARGETS, set->nr) ||
	    nla_put_u32(skb, KFREEZE_A_NR_FROZEN, set->nr_frozen) ||
	    nla_put_u32(skb, KFREEZE_A_NR_STUCK, set->nr_stuck) ||
	    nla_put_u32(skb, KFREEZE_A_REMAINING_MS, status->remaining_ms) ||
	    nla_put_u64_64bit(skb, KFREEZE_A_HOLD_NS, set->hold_ns, KFREEZE_A_PAD))
		return -EMSGSIZE;
	return 0;
}

static int kfreeze_nl_put_message(struct sk_buff *skb, u8 cmd,
				  const struct kfreeze_status *status)
{
	void *header;

	header = genlmsg_put(skb, 0, 0, &kfreeze_nl_family, 0, cmd);
	if (!header || kfreeze_nl_put_status(skb, status) ||
	    (status->set.blamed && kfreeze_nl_put_record(skb, &status->set.blame)))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

/*
 * A receive buffer that is full loses the message and makes the owner's next
 * read fail with ENOBUFS: it asks for the STATUS then.
 */
static void kfreeze_nl_result(u32 portid, struct sk_buff_head *spare,
			      const struct kfreeze_status *status)
{
	struct sk_buff *skb = skb_dequeue(spare);

	if (WARN_ON_ONCE(!skb))
		return;
	if (WARN_ON_ONCE(kfreeze_nl_put_message(skb, KFREEZE_CMD_RESULT, status)))
		nlmsg_free(skb);
	else
		genlmsg_unicast(&init_net, skb, portid);
}

static void kfreeze_nl_event(enum kfreeze_event_kind event,
			     struct sk_buff_head *spare,
			     const struct kfreeze_status *status)
{
	struct sk_buff *skb = skb_dequeue(spare);

	if (WARN_ON_ONCE(!skb))
		return;
	if (WARN_ON_ONCE(kfreeze_nl_put_message(skb, KFREEZE_CMD_EVENT, status) ||
			 nla_put_u32(skb, KFREEZE_A_EVENT, event))) {
		nlmsg_free(skb);
		return;
	}
	nlmsg_end(skb, nlmsg_hdr(skb));
	genlmsg_multicast_netns(&kfreeze_nl_family, &init_net, skb, 0, 0,
				GFP_NOWAIT);
}

static const struct kfreeze_cycle_ops kfreeze_nl_ops = {
	.result = kfreeze_nl_result,
	.event = kfreeze_nl_event,
};

/* A reply with its header, or NULL. */
static struct sk_buff *kfreeze_nl_reply(struct genl_info *info, void **header)
{
	struct sk_buff *skb;

	skb = genlmsg_new(KFREEZE_NL_MSG_SIZE, GFP_KERNEL);
	if (skb)
		*header = genlmsg_put_reply(skb, info, &kfreeze_nl_family, 0,
					    info->genlhdr->cmd);
	return skb;
}

/*
 * A reply with one number, to a request that has been carried out: one that
 * does not fit into the receive buffer is not an error of the request. The
 * socket tells of it, by ENOBUFS.
 */
static void kfreeze_nl_send_u32(struct sk_buff *skb, void *header,
				struct genl_info *info, int attr, u32 value)
{
	/* cannot fail: the message is allocated for much more */
	nla_put_u32(skb, attr, value);
	genlmsg_end(skb, header);
	genlmsg_reply(skb, info);
}

static int kfreeze_nl_info(struct sk_buff *request, struct genl_info *info)
{
	const struct kfreeze_limits *limits = kfreeze_param_limits();
	struct sk_buff *skb;
	void *header;

	skb = kfreeze_nl_reply(info, &header);
	if (!skb)
		return -ENOMEM;
	if (nla_put_string(skb, KFREEZE_A_VERSION, KFREEZE_VERSION) ||
	    nla_put_u32(skb, KFREEZE_A_HOLDER, kfreeze_target_holder()) ||
	    nla_put_u32(skb, KFREEZE_A_MAX_TARGETS, KFREEZE_MAX_TARGETS) ||
	    nla_put_u32(skb, KFREEZE_A_MAX_SESSIONS, KFREEZE_MAX_SESSIONS) ||
	    nla_put_u32(skb, KFREEZE_A_TIMEOUT_MS, limits->timeout_ms) ||
	    nla_put_u32(skb, KFREEZE_A_MAX_TIMEOUT_MS, limits->max_timeout_ms) ||
	    nla_put_u32(skb, KFREEZE_A_FLUSH_TIMEOUT_MS,
			limits->flush_timeout_ms) ||
	    nla_put_u32(skb, KFREEZE_A_MIN_INTERVAL_MS, limits->min_interval_ms)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

/*
 * Has the caller the right, and had it who opened the socket? Of the opener
 * netlink_capable() asks only when the message does not name its destination.
 */
static bool kfreeze_nl_is_admin(struct sk_buff *request)
{
	return sk_capable(NETLINK_CB(request).sk, CAP_SYS_ADMIN);
}

static int kfreeze_nl_open(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	void *header;
	u32 id;
	int err;

	if (!kfreeze_nl_is_admin(request)) {
		NL_SET_ERR_MSG(info->extack, "OPEN needs CAP_SYS_ADMIN");
		return -EPERM;
	}
	skb = kfreeze_nl_reply(info, &header);
	if (!skb)
		return -ENOMEM;
	err = kfreeze_session_open(NETLINK_CB(request).sk, info->snd_portid, &id);
	if (err) {
		nlmsg_free(skb);
		if (err == -EBUSY)
			NL_SET_ERR_MSG(info->extack,
				       "this socket has a session already");
		else if (err == -EUSERS)
			NL_SET_ERR_MSG(info->extack,
				       "too many sessions are open");
		else if (err == -ENODEV)
			NL_SET_ERR_MSG(info->extack,
				       "the module is being unloaded");
		return err;
	}
	kfreeze_nl_send_u32(skb, header, info, KFREEZE_A_SESSION, id);
	return 0;
}

/* Messages that the set can send when there is no memory for any. */
static int kfreeze_nl_prepare(struct kfreeze_set *set)
{
	struct sk_buff *skb;
	int i;

	for (i = 0; i < KFREEZE_CYCLE_SPARE; i++) {
		skb = genlmsg_new(KFREEZE_NL_MSG_SIZE, GFP_KERNEL);
		if (!skb)
			return -ENOMEM;
		skb_queue_tail(&set->spare, skb);
	}
	return 0;
}

/* The set is handed over, or let go. */
static int kfreeze_nl_start(struct sk_buff *request, struct genl_info *info,
			    struct kfreeze_set *set, u32 timeout_ms,
			    u32 flush_timeout_ms, u32 *cycle)
{
	const struct nlattr *targets = info->attrs[KFREEZE_A_TARGETS];
	u32 bad = set->nr;
	int err;

	err = kfreeze_nl_prepare(set);
	if (!err)
		err = kfreeze_session_freeze(NETLINK_CB(request).sk, set,
					     timeout_ms, flush_timeout_ms,
					     cycle, &bad, info->extack);
	if (!err)
		return 0;
	if (err == -EEXIST)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    kfreeze_request_nth(targets, bad),
				    "the same filesystem as an earlier target");
	else if (bad < set->nr)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    kfreeze_request_nth(targets, bad),
				    "another cycle holds this filesystem");
	kfreeze_set_release(set);
	kfreeze_set_put(set);
	return err;
}

static int kfreeze_nl_freeze(struct sk_buff *request, struct genl_info *info)
{
	const struct kfreeze_limits *limits = kfreeze_param_limits();
	u32 flush_timeout_ms = limits->flush_timeout_ms;
	u32 timeout_ms = limits->timeout_ms;
	struct kfreeze_set *set;
	struct sk_buff *skb;
	void *header;
	u32 cycle;
	int err;

	if (!kfreeze_session_is_owner(NETLINK_CB(request).sk)) {
		NL_SET_ERR_MSG(info->extack,
			       "this socket has no session: OPEN first");
		return -EPERM;
	}
	err = kfreeze_request_timeout(info->attrs[KFREEZE_A_TIMEOUT_MS],
				      limits->max_timeout_ms, info->extack,
				      &timeout_ms);
	if (err)
		return err;
	err = kfreeze_request_flush_timeout(
		info->attrs[KFREEZE_A_FLUSH_TIMEOUT_MS], info->extack,
		&flush_timeout_ms);
	if (err)
		return err;
	set = kfreeze_request_set(info->attrs[KFREEZE_A_TARGETS], info->extack);
	if (IS_ERR(set))
		return PTR_ERR(set);
	skb = kfreeze_nl_reply(info, &header);
	if (!skb) {
		kfreeze_set_release(set);
		kfreeze_set_put(set);
		return -ENOMEM;
	}
	err = kfreeze_nl_start(request, info, set, timeout_ms, flush_timeout_ms,
			       &cycle);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	kfreeze_nl_send_u32(skb, header, info, KFREEZE_A_CYCLE, cycle);
	return 0;
}

static int kfreeze_nl_thaw(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	void *header;
	u32 cycle;
	int err;

	err = kfreeze_session_thaw(NETLINK_CB(request).sk, &cycle, info->extack);
	if (err)
		return err;
	/* without memory for it the thaw goes on, and the RESULT tells */
	skb = kfreeze_nl_reply(info, &header);
	if (skb)
		kfreeze_nl_send_u32(skb, header, info, KFREEZE_A_CYCLE, cycle);
	return 0;
}

static int kfreeze_nl_rescue(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb;
	void *header;
	u32 nr;

	if (!kfreeze_nl_is_admin(request)) {
		NL_SET_ERR_MSG(info->extack, "RESCUE needs CAP_SYS_ADMIN");
		return -EPERM;
	}
	nr = kfreeze_session_rescue();
	skb = kfreeze_nl_reply(info, &header);
	if (skb)
		kfreeze_nl_send_u32(skb, header, info, KFREEZE_A_NR_SESSIONS, nr);
	return 0;
}

/* Where a dump goes on, in netlink_callback.args. */
enum kfreeze_nl_cursor {
	KFREEZE_NL_ALL, /* all sessions, or the socket's own only */
	KFREEZE_NL_SESSION, /* the first session not told yet has this id or more */
	KFREEZE_NL_TARGET, /* 0: the session itself, n: its target n - 1 */
};

static int kfreeze_nl_status_start(struct netlink_callback *cb)
{
	if (kfreeze_nl_is_admin(cb->skb))
		cb->args[KFREEZE_NL_ALL] = 1;
	if (cb->args[KFREEZE_NL_ALL] ||
	    kfreeze_session_is_owner(NETLINK_CB(cb->skb).sk))
		return 0;
	/* older kernels have no extack here */
	NL_SET_ERR_MSG(cb->extack, "STATUS needs a session or CAP_SYS_ADMIN");
	return -EPERM;
}

/* One message of a dump. -ENOENT: there is no such target. */
static int kfreeze_nl_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			       const struct kfreeze_status *status,
			       unsigned long position)
{
	struct kfreeze_record record;
	void *header;
	int err;

	if (position) {
		err = kfreeze_session_record(status->session, status->cycle,
					     position - 1, &record);
		if (err)
			return err;
	}
	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			     &kfreeze_nl_family, NLM_F_MULTI, KFREEZE_CMD_STATUS);
	if (!header)
		return -EMSGSIZE;
	if (position)
		err = nla_put_u32(skb, KFREEZE_A_SESSION, status->session) ||
		      nla_put_u32(skb, KFREEZE_A_CYCLE, status->cycle) ||
		      kfreeze_nl_put_record(skb, &record);
	else
		err = kfreeze_nl_put_status(skb, status);
	if (err) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static int kfreeze_nl_status(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct sock *sk = NETLINK_CB(cb->skb).sk;
	struct kfreeze_status status;
	int err;

	if (cb->args[KFREEZE_NL_ALL])
		sk = NULL;
	while (!kfreeze_session_status(sk, cb->args[KFREEZE_NL_SESSION], &status)) {
		if (cb->args[KFREEZE_NL_SESSION] != status.session) {
			cb->args[KFREEZE_NL_SESSION] = status.session;
			cb->args[KFREEZE_NL_TARGET] = 0;
		}
		err = kfreeze_nl_dump_one(skb, cb, &status,
					  cb->args[KFREEZE_NL_TARGET]);
		if (err == -EMSGSIZE)
			return skb->len ? skb->len : err;
		cb->args[KFREEZE_NL_TARGET]++;
		if (err == -ENOENT) {
			cb->args[KFREEZE_NL_SESSION]++;
			cb->args[KFREEZE_NL_TARGET] = 0;
		}
	}
	return skb->len;
}

static const struct genl_ops kfreeze_nl_cmds[] = {
	{
		.cmd = KFREEZE_CMD_INFO,
		.doit = kfreeze_nl_info,
		KFREEZE_NL_NO_ATTRS,
	},
	{
		.cmd = KFREEZE_CMD_OPEN,
		.doit = kfreeze_nl_open,
		KFREEZE_NL_NO_ATTRS,
	},
	{
		.cmd = KFREEZE_CMD_FREEZE,
		.doit = kfreeze_nl_freeze,
		.policy = kfreeze_nl_freeze_policy,
		.maxattr = ARRAY_SIZE(kfreeze_nl_freeze_policy) - 1,
	},
	{
		.cmd = KFREEZE_CMD_THAW,
		.doit = kfreeze_nl_thaw,
		KFREEZE_NL_NO_ATTRS,
	},
	{
		.cmd = KFREEZE_CMD_STATUS,
		.start = kfreeze_nl_status_start,
		.dumpit = kfreeze_nl_status,
		KFREEZE_NL_NO_ATTRS,
	},
	{
		.cmd = KFREEZE_CMD_RESCUE,
		.doit = kfreeze_nl_rescue,
		KFREEZE_NL_NO_ATTRS,
	},
};

static const struct genl_multicast_group kfreeze_nl_groups[] = {
	{.name = KFREEZE_MCGRP_EVENTS, KFREEZE_MCGRP_SYS_ADMIN},
};

static struct genl_family kfreeze_nl_family __ro_after_init = {
	.name = KFREEZE_GENL_NAME,
	.version = KFREEZE_GENL_VERSION,
	.maxattr = KFREEZE_A_MAX,
	.netnsok = false,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = kfreeze_nl_cmds,
	.n_ops = ARRAY_SIZE(kfreeze_nl_cmds),
	.mcgrps = kfreeze_nl_groups,
	.n_mcgrps = ARRAY_SIZE(kfreeze_nl_groups),
};

/**
 * kfreeze_nl_init - register the family
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int kfreeze_nl_init(void)
{
	return genl_register_family(&kfreeze_nl_family);
}

/**
 * kfreeze_nl_exit - unregister the family, after requests under way
 *
 * Context: may sleep.
 */
void kfreeze_nl_exit(void)
{
	genl_unregister_family(&kfreeze_nl_family);
}

/**
 * kfreeze_nl_cycle_ops - how cycles reach their owners and listeners
 *
 * Context: any.
 * Return: the functions.
 */
const struct kfreeze_cycle_ops *kfreeze_nl_cycle_ops(void)
{
	return &kfreeze_nl_ops;
}
