// SPDX-License-Identifier: GPL-2.0
/* What a FREEZE asks for: attributes of userspace to a set of filesystems. */
#include "request.h"

#include <linux/err.h>
#include <linux/kernel.h>
#include <net/netlink.h>

#include <linux/kfreeze.h>

#include "set.h"

static const struct nla_policy kfreeze_request_policy[KFREEZE_A_TARGET_MAX + 1] = {
	[KFREEZE_A_TARGET_FD] = {.type = NLA_S32},
	[KFREEZE_A_TARGET_LEVEL] = {.type = NLA_U8},
	[KFREEZE_A_TARGET_DISK] = {.type = NLA_U32},
};

/**
 * kfreeze_request_nth - one target, for an error to point at it
 * @targets: TARGETS
 * @index: which one, from 0
 *
 * Context: any.
 * Return: its nest, or NULL.
 */
const struct nlattr *kfreeze_request_nth(const struct nlattr *targets, u32 index)
{
	const struct nlattr *attr;
	int left;

	nla_for_each_nested(attr, targets, left)
		if (!index--)
			return attr;
	return NULL;
}

static int kfreeze_request_count(const struct nlattr *targets,
				 struct netlink_ext_ack *extack, u32 *nr)
{
	const struct nlattr *attr;
	int left;

	*nr = 0;
	nla_for_each_nested(attr, targets, left) {
		if (nla_type(attr) != KFREEZE_A_TARGET) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "TARGETS has nests TARGET only");
			return -EINVAL;
		}
		++*nr;
	}
	if (left) {
		NL_SET_ERR_MSG_ATTR(extack, targets, "TARGETS is malformed");
		return -EINVAL;
	}
	if (!*nr) {
		NL_SET_ERR_MSG_ATTR(extack, targets, "TARGETS is empty");
		return -EINVAL;
	}
	if (*nr > KFREEZE_MAX_TARGETS) {
		NL_SET_ERR_MSG_ATTR(extack, targets, "more than 1024 targets");
		return -E2BIG;
	}
	return 0;
}

static int kfreeze_request_pin(struct kfreeze_set *set, u32 index,
			       const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[KFREEZE_A_TARGET_MAX + 1];
	u32 disk_nr = 0;
	u8 level = 0;
	int err;

	err = nla_parse_nested(tb, KFREEZE_A_TARGET_MAX, attr,
			       kfreeze_request_policy, extack);
	if (err)
		return err;
	if (!tb[KFREEZE_A_TARGET_FD]) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "TARGET_FD is mandatory");
		return -EINVAL;
	}
	if (tb[KFREEZE_A_TARGET_LEVEL])
		level = nla_get_u8(tb[KFREEZE_A_TARGET_LEVEL]);
	if (level >= KFREEZE_MAX_LEVELS) {
		NL_SET_ERR_MSG_ATTR(extack, tb[KFREEZE_A_TARGET_LEVEL],
				    "TARGET_LEVEL is out of range: 0 to 63");
		return -ERANGE;
	}
	if (tb[KFREEZE_A_TARGET_DISK])
		disk_nr = nla_get_u32(tb[KFREEZE_A_TARGET_DISK]);
	err = kfreeze_set_pin(set, index, nla_get_s32(tb[KFREEZE_A_TARGET_FD]),
			      level, disk_nr);
	if (err == -EBADF)
		NL_SET_ERR_MSG_ATTR(extack, tb[KFREEZE_A_TARGET_FD],
				    "TARGET_FD is not an open descriptor");
	else if (err)
		NL_SET_ERR_MSG_ATTR(
			extack, tb[KFREEZE_A_TARGET_FD],
			"TARGET_FD is not on a block device filesystem");
	return err;
}

/**
 * kfreeze_request_set - the filesystems that a FREEZE asks for
 * @targets: TARGETS, or NULL if there is none
 * @extack: where to put the reason of an error
 *
 * Context: process, of the requester; may sleep, does not wait.
 * Return: a set, all of it pinned, or an ERR_PTR as KFREEZE_CMD_FREEZE tells.
 */
struct kfreeze_set *kfreeze_request_set(const struct nlattr *targets,
					struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	struct kfreeze_set *set;
	u32 index = 0;
	int left;
	u32 nr;
	int err;

	if (!targets) {
		NL_SET_ERR_MSG(extack, "TARGETS is mandatory");
		return ERR_PTR(-EINVAL);
	}
	err = kfreeze_request_count(targets, extack, &nr);
	if (err)
		return ERR_PTR(err);
	set = kfreeze_set_alloc(nr);
	if (!set)
		return ERR_PTR(-ENOMEM);
	nla_for_each_nested(attr, targets, left) {
		err = kfreeze_request_pin(set, index++, attr, extack);
		if (err)
			goto err_set;
	}
	return set;

err_set:
	kfreeze_set_release(set);
	kfreeze_set_put(set);
	return ERR_PTR(err);
}

static bool kfreeze_request_has_ms(const struct nlattr *attr, u32 max, u32 *ms)
{
	*ms = nla_get_u32(attr);
	return *ms >= 1 && *ms <= max;
}

/**
 * kfreeze_request_timeout - the time limit that a FREEZE may give itself
 * @attr: TIMEOUT_MS, or NULL if it is not there
 * @max: the longest one that is allowed
 * @extack: where to put the reason of an error
 * @timeout_ms: where to put it; left as it is without @attr
 *
 * Context: any.
 * Return: 0 or -ERANGE.
 */
int kfreeze_request_timeout(const struct nlattr *attr, u32 max,
			    struct netlink_ext_ack *extack, u32 *timeout_ms)
{
	if (!attr || kfreeze_request_has_ms(attr, max, timeout_ms))
		return 0;
	NL_SET_ERR_MSG_ATTR(
		extack, attr,
		"TIMEOUT_MS is out of range: 1 to MAX_TIMEOUT_MS, which INFO tells");
	return -ERANGE;
}

/**
 * kfreeze_request_flush_timeout - the time limit of the flush before it
 * @attr: FLUSH_TIMEOUT_MS, or NULL if it is not there
 * @extack: where to put the reason of an error
 * @timeout_ms: where to put it; left as it is without @attr
 *
 * Context: any.
 * Return: 0 or -ERANGE.
 */
int kfreeze_request_flush_timeout(const struct nlattr *attr,
				  struct netlink_ext_ack *extack, u32 *timeout_ms)
{
	if (!attr || kfreeze_request_has_ms(attr, KFREEZE_MAX_FLUSH_TIMEOUT_MS,
					    timeout_ms))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "FLUSH_TIMEOUT_MS is out of range: 1 to 600000");
	return -ERANGE;
}
