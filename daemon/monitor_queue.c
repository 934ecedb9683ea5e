// SPDX-License-Identifier: GPL-2.0
/* A list, as long as one list of mount points. */
#include "monitor_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "ipc.h"

struct monitor_queued {
	struct monitor_queued *next;
	struct ipc_request request;
};

int monitor_queue_add(struct monitor_queue *queue,
		      const struct ipc_request *request)
{
	struct monitor_queued *new, **last = &queue->first;

	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->next = NULL;
	new->request = *request;
	while (*last)
		last = &(*last)->next;
	*last = new;
	return 0;
}

static void remove_first(struct monitor_queue *queue)
{
	struct monitor_queued *first = queue->first;

	queue->first = first->next;
	free(first);
}

int monitor_queue_send(struct monitor_queue *queue, int fd)
{
	int err;

	while (queue->first) {
		err = ipc_send_request(fd, &queue->first->request);
		if (err)
			return err;
		remove_first(queue);
	}
	return 0;
}

void monitor_queue_drop(struct monitor_queue *queue)
{
	while (queue->first)
		remove_first(queue);
}
