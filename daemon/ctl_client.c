// SPDX-License-Identifier: GPL-2.0
/*
 * One question at a time: an administrator waits for the answer.
 */
#include "ctl_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "monitor_process.h"

static int monitor = -1;

static int receive(struct ipc_reply *reply)
{
	struct pollfd fd = {.fd = monitor, .events = POLLIN};
	int err;

	do {
		poll(&fd, 1, -1);
		err = ipc_receive_reply(monitor, reply);
	} while (err == -EAGAIN);
	return err;
}

int ctl_client_ask(enum ipc_request_type type, ctl_record_fn record,
		   char text[IPC_TEXT_MAX])
{
	struct ipc_request request;
	struct ipc_reply reply;
	int err;

	memset(&request, 0, sizeof(request)); /* also the padding: it is sent */
	request.type = type;
	request.id = type;
	if (type == IPC_HELLO)
		request.version = IPC_VERSION;
	err = ipc_send_request(monitor, &request);
	while (!err) {
		err = receive(&reply);
		if (!err && reply.type == IPC_RECORD && record)
			record(&reply.record);
		if (!err && reply.type == IPC_ANSWER) {
			snprintf(text, IPC_TEXT_MAX, "%s", reply.text);
			return reply.err ? reply.err : (int)reply.count;
		}
	}
	snprintf(text, IPC_TEXT_MAX, "kfreeze-monitor: %s", strerror(-err));
	return err;
}

int ctl_client_start(const struct config *config)
{
	char text[IPC_TEXT_MAX];
	int err;

	monitor = monitor_process_start(config);
	if (monitor < 0)
		return monitor;
	err = ctl_client_ask(IPC_HELLO, NULL, text);
	if (err < 0)
		log_err("%s", text);
	return err < 0 ? err : 0;
}
