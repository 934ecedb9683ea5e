/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between kfreezed and kfreeze-monitor over a SOCK_SEQPACKET socket.
 * Every message has the full size of its struct; a message of another size,
 * type or value ends the connection.
 */
#ifndef KFREEZE_IPC_H
#define KFREEZE_IPC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "query.h"
#include "report.h"

#define IPC_VERSION 2
#define IPC_SOCKET "/run/kfreeze/monitor.sock"
/* root's: IPC_HELLO, IPC_STATUS, IPC_REPORT */
#define IPC_ADMIN_SOCKET "/run/kfreeze/admin.sock"
#define IPC_TEXT_MAX 512
#define IPC_MAX_PATHS 1024
#define IPC_PATHS_SIZE PATH_MAX /* of one message: the longest fits */

enum ipc_request_type {
	IPC_HELLO = 1, /* first message; answered with the monitor's state */
	IPC_ADD_PATHS, /* mount points for the next IPC_FREEZE; not answered */
	IPC_FREEZE, /* answered when frozen, failed or aborted */
	IPC_THAW, /* answered when everything is thawed */
	IPC_STATUS, /* answered at once; the text is of a loss */
	IPC_REPORT, /* answered with records, then a reply */
	IPC_QUERY, /* likewise; one at a time, not while anything is frozen */
	IPC_REQUEST_MAX = IPC_QUERY,
};

struct ipc_request {
	uint32_t type; /* enum ipc_request_type */
	uint32_t id; /* chosen by the agent, repeated in the answer */
	union {
		uint32_t version; /* IPC_HELLO */
		struct {
			uint32_t size; /* of text that is used; not 0 */
			char text[IPC_PATHS_SIZE]; /* each NUL-terminated */
		} paths; /* IPC_ADD_PATHS */
		struct {
			uint32_t listed; /* 1: only the paths added, 0: all */
			uint32_t nr_paths; /* as many as were added */
		} freeze; /* IPC_FREEZE */
		struct query query; /* IPC_QUERY */
	};
};

/* What the monitor is doing, and what a host has yet to hear of. */
enum ipc_state {
	IPC_THAWED,
	IPC_FREEZING, /* hooks, flush, freeze */
	IPC_FROZEN,
	IPC_THAWING, /* thaw, thaw hooks */
	IPC_LOST, /* thawed, but the host believes in a freeze: text says why */
	IPC_STATE_MAX = IPC_LOST,
};

enum ipc_reply_type {
	IPC_ANSWER = 1, /* ends a request */
	IPC_STATE_CHANGED, /* unasked, id 0: state, and text for IPC_LOST */
	IPC_RECORD, /* one record of an IPC_REPORT */
	IPC_QUERY_RECORD, /* one record of an IPC_QUERY */
	IPC_REPLY_MAX = IPC_QUERY_RECORD,
};

struct ipc_reply {
	uint32_t type; /* enum ipc_reply_type */
	uint32_t id; /* of the request */
	int32_t err; /* IPC_ANSWER: 0 or -errno, then text says what failed */
	uint32_t state; /* enum ipc_state after this message */
	uint32_t count; /* IPC_ANSWER: filesystems frozen or thawed */
	union {
		char text[IPC_TEXT_MAX]; /* NUL-terminated */
		struct report_record record; /* IPC_RECORD */
		struct query_record query_record; /* IPC_QUERY_RECORD */
	};
};

/* A socket, or -errno. -EADDRINUSE if somebody listens there; a path that is
 * left from one who has died is taken over. Only our own user may connect. */
int ipc_connect(const char *path);
int ipc_listen(const char *path);

void ipc_fill_answer(struct ipc_reply *reply, uint32_t id, int err,
		     unsigned int count, const char *text);

/* All return 0 or -errno; -EPROTO for a malformed message, -EPIPE at EOF,
 * -EAGAIN when there is nothing to read or no room to write. */
int ipc_send_request(int fd, const struct ipc_request *request);
int ipc_receive_request(int fd, struct ipc_request *request);
int ipc_send_reply(int fd, const struct ipc_reply *reply);
int ipc_receive_reply(int fd, struct ipc_reply *reply);

#endif
