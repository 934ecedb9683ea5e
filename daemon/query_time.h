/* SPDX-License-Identifier: GPL-2.0 */
/* The system's clock. A query_topic_fn. */
#ifndef KFREEZE_QUERY_TIME_H
#define KFREEZE_QUERY_TIME_H

struct query_child;

int query_time_set(struct query_child *child);

#endif
