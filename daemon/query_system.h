/* SPDX-License-Identifier: GPL-2.0 */
/* Topics about the system as a whole. All are a query_topic_fn. */
#ifndef KFREEZE_QUERY_SYSTEM_H
#define KFREEZE_QUERY_SYSTEM_H

struct query_child;

int query_system_host_name(struct query_child *child);
int query_system_timezone(struct query_child *child);
int query_system_load(struct query_child *child);
int query_system_os(struct query_child *child);
int query_system_users(struct query_child *child);

#endif
