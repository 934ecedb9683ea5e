/* SPDX-License-Identifier: GPL-2.0 */
/* Network interfaces and routes. Both are a query_topic_fn. */
#ifndef KFREEZE_QUERY_NET_H
#define KFREEZE_QUERY_NET_H

struct query_child;

int query_net_interfaces(struct query_child *child);
int query_net_routes(struct query_child *child);

#endif
