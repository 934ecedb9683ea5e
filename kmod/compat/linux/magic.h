/* SPDX-License-Identifier: GPL-2.0 */
/* 5.13 added FUSE_SUPER_MAGIC. Goes when 5.13 is the floor. */
#ifndef KFREEZE_COMPAT_LINUX_MAGIC_H
#define KFREEZE_COMPAT_LINUX_MAGIC_H

#include_next <linux/magic.h>

#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

#endif
