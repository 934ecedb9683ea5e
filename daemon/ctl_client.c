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

#define FOREVER -1
#define STATUS_MS 10000 /* for what is answered from memory */

static int monitor = -1, patience_ms = FOREVER;

static int receive(struct ipc_reply *reply)
{
	struct pollfd fd = {.fd = monitor, .events = POLLIN};
	int err;

	do {
		if (poll(&fd, 1, patience_ms) == 0)
			return -ETIMEDOUT;
		err = ipc_receive_reply(monitor, reply);
	} while (err == -EAGAIN);
	return err;
}

static int send_request(enum ipc_request_type type)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request)); /* also the padding: it is sent */
	request.type = type;
	request.id = type;
	if (type == IPC_HELLO)
		request.version = IPC_VERSION;
	return ipc_send_request(monitor, &request);
}

int ctl_client_ask(enum ipc_request_type type, ctl_record_fn record,
		   struct ipc_reply *answer)
{
	char text[IPC_TEXT_MAX];
	int err;

	err = send_request(type);
	while (!err) {
		err = receive(answer);
		if (!err && answer->type == IPC_RECORD && record)
			record(&answer->record);
		if (!err && answer->type == IPC_ANSWER)
			return answer->err ? answer->err : (int)answer->count;
	}
	snprintf(text, sizeof(text), "kfreeze-monitor: %s", strerror(-err));
	ipc_fill_answer(answer, type, err, 0, text);
	return err;
}

static int greet(void)
{
	struct ipc_reply answer;
	int err;

	err = ctl_client_ask(IPC_HELLO, NULL, &answer);
	if (err < 0)
		log_err("%s", answer.text);
	return err < 0 ? err : 0;
}

int ctl_client_start(const struct config *config)
{
	monitor = monitor_process_start(config);
	return monitor < 0 ? monitor : greet();
}

int ctl_client_connect(void)
{
	patience_ms = STATUS_MS;
	monitor = ipc_connect(IPC_ADMIN_SOCKET);
	if (monitor >= 0)
		return greet();
	log_err(IPC_ADMIN_SOCKET ": cannot connect: %s%s", strerror(-monitor),
		monitor == -ENOENT || monitor == -ECONNREFUSED
			? ": kfreeze-monitor does not run; remedy: systemctl "
			  "start kfreezed, or journalctl -u kfreezed -u "
			  "kfreeze-monitor"
			: "");
	return monitor;
}
