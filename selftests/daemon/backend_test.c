// SPDX-License-Identifier: GPL-2.0
/* A monitor that is to use the module or nothing, with it and without. */
/* link: ipc query */
#include "ktap.h"

#include <sys/socket.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define HOOK_SAYS "/var/log/hook"
#define CAP_SYS_ADMIN_BIT (1ULL << 21)

static struct ipc_reply freeze(struct client *client, const char *path)
{
	return client_answer(client, client_send_freeze(client, path, NULL));
}

static struct ipc_reply thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

/* A line of a process's status: "CapEff:\t..." */
static uint64_t capabilities_of(const char *status, const char *set)
{
	const char *line = strstr(status, set);

	CHECK(line != NULL);
	return strtoull(line + strlen(set), NULL, 16);
}

static void check_given_up(const struct client *client)
{
	const char *status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", client->monitor);
	status = sandbox_read_file(path);
	CHECK(!(capabilities_of(status, "\nCapEff:\t") & CAP_SYS_ADMIN_BIT));
	CHECK(!(capabilities_of(status, "\nCapPrm:\t") & CAP_SYS_ADMIN_BIT));
}

static void check_refused(void)
{
	char option[32];
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	snprintf(option, sizeof(option), "--agent-fd=%d", fds[0]);
	CHECK_EQ(client_run("kfreeze-monitor", option, NULL), EXIT_FAILURE);
	CHECK(strstr(sandbox_read_file(CLIENT_LOG),
		     "backend = kmod: no session of the kernel module: "));
}

TEST(module_alone_takes_no_right_to_freeze)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("[general]\nbackend = kmod\ntimeout = 1\n");
	if (!strcmp(client_backend(), "ioctl")) {
		check_refused();
		return;
	}
	a = sandbox_mount("a", NULL);
	sandbox_write_file("/etc/kfreeze/hooks.d/says",
			   "#!/bin/sh\ngrep CapEff /proc/self/status >" HOOK_SAYS
			   "\n",
			   0755);
	client = client_start();
	check_given_up(&client);
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(thaw(&client).count, 1);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	/* a hook is all that root is */
	CHECK(capabilities_of(sandbox_read_file(HOOK_SAYS), "CapEff:\t") &
	      CAP_SYS_ADMIN_BIT);
	/* the session outlives a lost freeze */
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).count, 1);
}
