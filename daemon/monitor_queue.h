/* SPDX-License-Identifier: GPL-2.0 */
/* Requests to the monitor that its socket has had no room for. */
#ifndef KFREEZE_MONITOR_QUEUE_H
#define KFREEZE_MONITOR_QUEUE_H

#include <stddef.h>

struct ipc_request;
struct monitor_queued;

struct monitor_queue {
	struct monitor_queued *first; /* NULL: empty */
};

/* 0 or -ENOMEM. */
int monitor_queue_add(struct monitor_queue *queue,
		      const struct ipc_request *request);

/* 0, -E2BIG or -ENAMETOOLONG. */
int monitor_queue_check_paths(const char *const *paths, size_t nr_paths);

/* As many in one request as it takes. 0 or -ENOMEM. */
int monitor_queue_add_paths(struct monitor_queue *queue,
			    const char *const *paths, size_t nr_paths);

/* In order. 0 when it is empty, or -errno. */
int monitor_queue_send(struct monitor_queue *queue, int fd);

void monitor_queue_drop(struct monitor_queue *queue);

#endif
