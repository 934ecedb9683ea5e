/* SPDX-License-Identifier: GPL-2.0 */
/* kfreeze-monitor as kfreezed sees it: what it is asked, and what it said. */
#ifndef KFREEZE_MONITOR_CLIENT_H
#define KFREEZE_MONITOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc.h"

struct config;
struct monitor_client;

/* @fd: socketpair to a monitor we have started, or -1: connect to @path, again
 * and again. @config says what a freeze that is lost with the monitor was
 * limited to, and how long that waits for the host; it must outlive the client.
 * NULL when out of memory. Nothing here blocks. */
struct monitor_client *monitor_client_new(const char *path, int fd,
					  const struct config *config);
/* Answers what has not been answered. */
void monitor_client_free(struct monitor_client *client);

/* Readable when monitor_client_dispatch() has something to do. */
int monitor_client_fd(const struct monitor_client *client);
void monitor_client_dispatch(struct monitor_client *client);

/* The state is known: the monitor has told it, or there is no monitor. */
bool monitor_client_is_settled(const struct monitor_client *client);

/* Something is frozen, or nobody can say yet that nothing is. */
bool monitor_client_may_be_frozen(const struct monitor_client *client);

enum ipc_state monitor_state(const struct monitor_client *client);

/* Called once per request, perhaps before it returns. @text: what failed. */
typedef void (*monitor_answer_fn)(void *data, int err, unsigned int count,
				  const char *text);
typedef void (*monitor_record_fn)(void *data, const struct report_record *record);
typedef void (*monitor_query_record_fn)(void *data,
					const struct query_record *record);

/* @paths: NULL for all filesystems. A request of a kind of which one is under
 * way is answered with -EBUSY. */
void monitor_freeze(struct monitor_client *client, const char *const *paths,
		    size_t nr_paths, monitor_answer_fn answer, void *data);
void monitor_thaw(struct monitor_client *client, monitor_answer_fn answer,
		  void *data);
void monitor_report(struct monitor_client *client, monitor_record_fn record,
		    monitor_answer_fn answer, void *data);
void monitor_query(struct monitor_client *client, const struct query *query,
		   monitor_query_record_fn record, monitor_answer_fn answer,
		   void *data);

/* A lost freeze was told to nobody: keep it for the next who asks. */
void monitor_remember_loss(struct monitor_client *client, const char *text);

#endif
