/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: see <linux/kfreeze.h>. */
#ifndef KFREEZE_NETLINK_H
#define KFREEZE_NETLINK_H

struct kfreeze_cycle_ops;

int kfreeze_nl_init(void);
void kfreeze_nl_exit(void);
const struct kfreeze_cycle_ops *kfreeze_nl_cycle_ops(void);

#endif
