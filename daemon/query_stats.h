/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts. All are a query_topic_fn. */
#ifndef KFREEZE_QUERY_STATS_H
#define KFREEZE_QUERY_STATS_H

struct query_child;

int query_stats_cpu(struct query_child *child);
int query_stats_disk(struct query_child *child);

#endif
