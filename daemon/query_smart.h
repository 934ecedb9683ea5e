/* SPDX-License-Identifier: GPL-2.0 */
/* What an NVMe disk says of its health. */
#ifndef KFREEZE_QUERY_SMART_H
#define KFREEZE_QUERY_SMART_H

struct query_smart;

/* 0 or -errno. */
int query_smart_read(const char *device, struct query_smart *smart);

#endif
