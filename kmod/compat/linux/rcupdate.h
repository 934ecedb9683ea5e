/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All kernels export these to GPL modules, but declare them in their own
 * kernel/rcu/rcu.h only. Goes when one of them declares them for modules.
 */
#ifndef KFREEZE_COMPAT_LINUX_RCUPDATE_H
#define KFREEZE_COMPAT_LINUX_RCUPDATE_H

#include_next <linux/rcupdate.h>

void rcu_expedite_gp(void);
void rcu_unexpedite_gp(void);

#endif
