/* SPDX-License-Identifier: GPL-2.0 */
/* All disks and their partitions. A query_topic_fn. */
#ifndef KFREEZE_QUERY_DISK_H
#define KFREEZE_QUERY_DISK_H

struct query_child;

int query_disk_all(struct query_child *child);

#endif
