/* SPDX-License-Identifier: GPL-2.0 */
/* Shutdown and suspend. Both are a query_topic_fn. */
#ifndef KFREEZE_QUERY_POWER_H
#define KFREEZE_QUERY_POWER_H

struct query_child;

int query_power_shutdown(struct query_child *child);
int query_power_suspend(struct query_child *child);

#endif
