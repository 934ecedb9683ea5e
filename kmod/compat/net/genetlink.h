/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 6.7 turned the multicast group's cap_sys_admin into a flag; stable kernels
 * got either. Goes when 6.7 is the floor.
 */
#ifndef KFREEZE_COMPAT_NET_GENETLINK_H
#define KFREEZE_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

#ifdef GENL_MCAST_CAP_SYS_ADMIN
#define KFREEZE_MCGRP_SYS_ADMIN .flags = GENL_MCAST_CAP_SYS_ADMIN
#else
#define KFREEZE_MCGRP_SYS_ADMIN .cap_sys_admin = 1
#endif

#endif
