/* SPDX-License-Identifier: GPL-2.0 */
/* Mounted filesystems on block devices. All are a query_topic_fn. */
#ifndef KFREEZE_QUERY_FILESYSTEM_H
#define KFREEZE_QUERY_FILESYSTEM_H

struct query_child;

int query_filesystem_all(struct query_child *child);
int query_filesystem_trim(struct query_child *child);

#endif
