/* SPDX-License-Identifier: GPL-2.0 */
/* What a FREEZE asks for: attributes of userspace to a set of filesystems. */
#ifndef KFREEZE_REQUEST_H
#define KFREEZE_REQUEST_H

#include <linux/types.h>

struct kfreeze_set;
struct netlink_ext_ack;
struct nlattr;

struct kfreeze_set *kfreeze_request_set(const struct nlattr *targets,
					struct netlink_ext_ack *extack);
int kfreeze_request_timeout(const struct nlattr *attr, u32 max,
			    struct netlink_ext_ack *extack, u32 *timeout_ms);
int kfreeze_request_flush_timeout(const struct nlattr *attr,
				  struct netlink_ext_ack *extack,
				  u32 *timeout_ms);
const struct nlattr *kfreeze_request_nth(const struct nlattr *targets, u32 index);

#endif
