// SPDX-License-Identifier: GPL-2.0
/* A list, as long as one list of mount points. */
#include "monitor_queue.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

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

int monitor_queue_check_paths(const char *const *paths, size_t nr_paths)
{
	size_t i;

	if (nr_paths > IPC_MAX_PATHS)
		return -E2BIG;
	for (i = 0; i < nr_paths; i++) {
		if (strlen(paths[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
	}
	return 0;
}

int monitor_queue_add_paths(struct monitor_queue *queue,
			    const char *const *paths, size_t nr_paths)
{
	struct ipc_request request = {.type = IPC_ADD_PATHS};
	size_t i, size;
	int err = 0;

	for (i = 0; !err && i < nr_paths; i++) {
		size = strlen(paths[i]) + 1;
		if (size > sizeof(request.paths.text) - request.paths.size) {
			err = monitor_queue_add(queue, &request);
			request.paths.size = 0;
		}
		memcpy(request.paths.text + request.paths.size, paths[i], size);
		request.paths.size += size;
	}
	if (!err && request.paths.size)
		err = monitor_queue_add(queue, &request);
	return err;
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
