/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.6 gave freeze_super() and thaw_super() a holder, 6.16 an owner. The macros
 * serve the super_operations of the same names too. Goes when 6.16 is the floor.
 */
#ifndef KFREEZE_COMPAT_LINUX_FS_H
#define KFREEZE_COMPAT_LINUX_FS_H

#include_next <linux/fs.h>

#ifndef KFREEZE_HAVE_HOLDER
#define FREEZE_HOLDER_KERNEL 0
#define FREEZE_EXCL 0
#define freeze_super(sb, who, owner) freeze_super(sb)
#define thaw_super(sb, who, owner) thaw_super(sb)
#elif !defined(KFREEZE_HAVE_EXCL)
#define FREEZE_EXCL 0
#define freeze_super(sb, who, owner) freeze_super(sb, who)
#define thaw_super(sb, who, owner) thaw_super(sb, who)
#endif

#endif
