/* SPDX-License-Identifier: GPL-2.0 */
/* Where a disk is plugged in, from its place in sysfs. */
#ifndef KFREEZE_QUERY_ADDRESS_H
#define KFREEZE_QUERY_ADDRESS_H

#include <stdbool.h>

#include "query.h"

struct query_child;

/* @syspath: resolved, "/sys/devices/...". False if nothing is known. */
bool query_address_find(const struct query_child *child, const char *syspath,
			struct query_address *address);

/* "/dev/..." as the kernel names it. False: it has none. */
bool query_address_device(const struct query_child *child, const char *syspath,
			  char device[QUERY_NAME_MAX]);

/* Not backed by hardware: device mapper, md, loop. */
bool query_address_is_virtual(const char *syspath);

#endif
