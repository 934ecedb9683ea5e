/* SPDX-License-Identifier: GPL-2.0 */
/* The monitor's socket to the agent: one agent at a time, checked. */
#ifndef KFREEZE_MONITOR_LINK_H
#define KFREEZE_MONITOR_LINK_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct ipc_reply;
struct ipc_request;

struct monitor_link_ops {
	/* -errno ends the connection */
	int (*request)(const struct ipc_request *request);
	void (*room)(void); /* after monitor_link_has_room() was false */
	void (*gone)(const char *reason);
};

/* Serve one agent after the other on @listen_fd, each of root or @uid, or the
 * one at the other end of @agent_fd; the other one is -1. 0 or -errno. */
int monitor_link_init(sd_event *event, const struct monitor_link_ops *ops,
		      uid_t uid, int listen_fd, int agent_fd);

/* At the other end of @fd is root or @uid; else that is logged. */
bool monitor_link_trusts(int fd, uid_t uid);

/* The next agent may come when this one has gone. */
bool monitor_link_listens(void);

/* Most of the socket's buffer is free; else room() will be called. */
bool monitor_link_has_room(void);

/* Nobody is there: nothing is sent. An agent that does not read is dropped. */
void monitor_link_send(const struct ipc_reply *reply);

#endif
