/* SPDX-License-Identifier: GPL-2.0 */
/* A kfreeze-monitor of the test's own, and its agent: the test. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc.h"

#define CLIENT_PATIENCE_MS 15000
#define CLIENT_LOG "/var/log/kfreeze-monitor" /* of all monitors of the test */

struct client {
	pid_t monitor;
	int fd;
	uint32_t next_id;
	enum ipc_state state; /* as told last */
	char text[IPC_TEXT_MAX]; /* of the last IPC_STATE_CHANGED */
};

/* Start a monitor and greet it. Failures end the test, here and below. */
struct client client_start(void);

/* Run a program of ours to its end, arguments up to NULL; its exit status. What
 * it says goes to CLIENT_LOG. */
int client_run(const char *name, ...);

/* Send a request without more to it; its id. */
uint32_t client_send(struct client *client, enum ipc_request_type type);
void client_add_path(struct client *client, const char *path);
/* IPC_FREEZE of the paths, NULL at the end; its id. */
uint32_t client_send_freeze(struct client *client, const char *path, ...);

/* The answer to @id; states told meanwhile are noted. */
struct ipc_reply client_answer(struct client *client, uint32_t id);

/* False if it is not told in time. */
bool client_wait_state(struct client *client, enum ipc_state state,
		       int timeout_ms);

/* The newest cycle's @index-th record of @kind, or false. */
bool client_record(struct client *client, enum report_kind kind, size_t index,
		   struct report_record *record);

/* Which backend this run is about: $KFREEZE_BACKEND, or what is loaded. */
const char *client_backend(void);

/* The monitor's child process of that name, or -1. */
pid_t client_find_child(const struct client *client, const char *name);

/* The monitor has ended: its wait status, or -1 if it has not in time. */
int client_wait_exit(struct client *client, int timeout_ms);

#endif
