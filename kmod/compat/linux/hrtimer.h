/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.13 added hrtimer_setup(), and hrtimer_init() went. Goes when 6.13 is the
 * floor.
 */
#ifndef KFREEZE_COMPAT_LINUX_HRTIMER_H
#define KFREEZE_COMPAT_LINUX_HRTIMER_H

#include_next <linux/hrtimer.h>

#ifndef KFREEZE_HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#endif
