// SPDX-License-Identifier: GPL-2.0
/*
 * Expedited RCU grace periods while a set freezes: a clean freeze is bound by
 * three of them per filesystem. They disturb the other CPUs, so they end with
 * the freeze, or with the deadline if it is stuck.
 */
#include "expedite.h"

#include <linux/rcupdate.h>

#include "set.h"

/**
 * kfreeze_set_expedite - begin, unless the set is to be thawed
 * @set: the set, without its lock
 *
 * Context: process. kfreeze_set_unexpedite() undoes it.
 */
void kfreeze_set_expedite(struct kfreeze_set *set)
{
	spin_lock(&set->lock);
	if (!set->stop && !set->expedited) {
		rcu_expedite_gp();
		set->expedited = true;
	}
	spin_unlock(&set->lock);
}

/**
 * kfreeze_set_unexpedite - end, if it has not ended yet
 * @set: the set, without its lock
 *
 * Context: process.
 */
void kfreeze_set_unexpedite(struct kfreeze_set *set)
{
	spin_lock(&set->lock);
	if (set->expedited) {
		rcu_unexpedite_gp();
		set->expedited = false;
	}
	spin_unlock(&set->lock);
}
