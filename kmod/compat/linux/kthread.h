/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.14 split kthread_create_worker(), which had started the thread, from
 * kthread_run_worker(). Goes when 6.14 is the floor.
 */
#ifndef KFREEZE_COMPAT_LINUX_KTHREAD_H
#define KFREEZE_COMPAT_LINUX_KTHREAD_H

#include_next <linux/kthread.h>

#ifndef kthread_run_worker
#define kthread_run_worker kthread_create_worker
#endif

#endif
