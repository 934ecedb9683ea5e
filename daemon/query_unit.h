/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may be taken offline: processors and blocks of memory. All are a
 * query_topic_fn.
 */
#ifndef KFREEZE_QUERY_UNIT_H
#define KFREEZE_QUERY_UNIT_H

struct query_child;

int query_unit_vcpus(struct query_child *child);
int query_unit_set_vcpus(struct query_child *child);
int query_unit_memory_blocks(struct query_child *child);
int query_unit_set_memory_blocks(struct query_child *child);
int query_unit_memory_block_size(struct query_child *child);

#endif
