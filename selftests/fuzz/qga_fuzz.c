// SPDX-License-Identifier: GPL-2.0
/* The host's bytes, in two pieces: framing, JSON, the envelope, arguments. */
#include "input.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "ipc.h"
#include "log.h"
#include "monitor_client.h"

/* Answer the greeting; what is asked afterwards stays unanswered. */
static struct monitor_client *connect_monitor(int fd, int monitor_fd)
{
	struct monitor_client *client;
	struct ipc_request hello;
	struct ipc_reply welcome = {.type = IPC_ANSWER};

	client = monitor_client_new("/nonexistent", fd, &host_config);
	if (!client || ipc_receive_request(monitor_fd, &hello))
		abort();
	welcome.id = hello.id;
	if (ipc_send_reply(monitor_fd, &welcome))
		abort();
	monitor_client_dispatch(client);
	return client;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return log_init("fuzz", "/dev/null", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t first = size ? bytes[0] % size : 0;
	struct monitor_client *client;
	struct qga *qga;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		abort();
	client = connect_monitor(fds[0], fds[1]);
	qga = qga_new(&host_config, client, &host_ops, NULL);
	if (!qga)
		abort();
	qga_receive(qga, (const char *)bytes, first);
	qga_receive(qga, (const char *)bytes + first, size - first);
	monitor_client_free(client);
	qga_free(qga);
	close(fds[1]);
	return 0;
}
