/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A query as its topic's function sees it: in a child of the monitor's, which
 * may block and is killed when its time is up. It emits records.
 */
#ifndef KFREEZE_QUERY_CHILD_H
#define KFREEZE_QUERY_CHILD_H

#include "ipc.h"
#include "query.h"

struct query_child {
	const struct query *query;
	const char *root; /* of all paths: "", other in tests */
	/* 0 or -errno */
	int (*emit)(void *data, const struct query_record *record);
	void *data;
	char text[IPC_TEXT_MAX]; /* on error: what failed; "": the errno says it */
};

/* 0 or -errno. */
typedef int (*query_topic_fn)(struct query_child *child);

/* @err, with a text that names the path. */
int query_child_fail(struct query_child *child, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
