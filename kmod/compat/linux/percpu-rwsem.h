/* SPDX-License-Identifier: GPL-2.0 */
/* 6.0 added percpu_is_write_locked(). Goes when 6.0 is the floor. */
#ifndef KFREEZE_COMPAT_LINUX_PERCPU_RWSEM_H
#define KFREEZE_COMPAT_LINUX_PERCPU_RWSEM_H

#include_next <linux/percpu-rwsem.h>

#ifndef KFREEZE_HAVE_PERCPU_IS_WRITE_LOCKED
static inline bool percpu_is_write_locked(struct percpu_rw_semaphore *sem)
{
	return atomic_read(&sem->block);
}
#endif

#endif
