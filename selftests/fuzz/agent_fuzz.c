// SPDX-License-Identifier: GPL-2.0
/* A monitor that lies, to an agent whose host asks for things meanwhile. */
#include "input.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"
#include "ipc.h"
#include "log.h"
#include "monitor_client.h"

static const char *const commands[] = {
	"{\"execute\":\"guest-fsfreeze-freeze\"}\n",
	"{\"execute\":\"guest-fsfreeze-thaw\"}\n",
	"{\"execute\":\"guest-fsfreeze-status\"}\n",
	"{\"execute\":\"__org.kfreeze_report\"}\n",
	"{\"execute\":\"guest-get-fsinfo\"}\n",
	"{\"execute\":\"guest-get-disks\"}\n",
	"{\"execute\":\"guest-get-diskstats\"}\n",
	"{\"execute\":\"guest-get-cpustats\"}\n",
	"{\"execute\":\"guest-get-osinfo\"}\n",
	"{\"execute\":\"guest-get-users\"}\n",
	"{\"execute\":\"guest-get-timezone\"}\n",
	"{\"execute\":\"guest-get-load\"}\n",
	"{\"execute\":\"guest-get-host-name\"}\n",
	"{\"execute\":\"guest-fstrim\"}\n",
	"{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}\n",
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void play(struct fuzz_input *input, struct qga *qga,
		 struct monitor_client *client, int monitor_fd)
{
	const char *command;
	uint8_t next;

	while (input->left) {
		next = fuzz_byte(input);
		if (next < NR_COMMANDS) {
			command = commands[next];
			qga_receive(qga, command, strlen(command));
		} else {
			fuzz_send(input, monitor_fd, sizeof(struct ipc_reply));
			monitor_client_dispatch(client);
		}
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return log_init("fuzz", "/dev/null", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = {bytes, size};
	struct monitor_client *client;
	struct qga *qga;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		abort();
	client = monitor_client_new("/nonexistent", fds[0], &host_config);
	qga = client ? qga_new(&host_config, client, &host_ops, NULL) : NULL;
	if (!qga)
		abort();
	play(&input, qga, client, fds[1]);
	monitor_client_free(client);
	qga_free(qga);
	close(fds[1]);
	return 0;
}
