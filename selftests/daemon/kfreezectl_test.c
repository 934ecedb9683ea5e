// SPDX-License-Identifier: GPL-2.0
/* The administrator's tool. */
/* link: ipc query */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define CTL "kfreezectl"
#define HOOK "/etc/kfreeze/hooks.d/10-test"
#define HOOK_LOG "/run/hook"

static const char *a;

static void setup(const char *conf)
{
	SANDBOX_ENTER(conf);
	a = sandbox_mount("a", NULL);
	sandbox_write_file(HOOK, "#!/bin/sh\necho $1 >>" HOOK_LOG "\n", 0755);
}

static bool said(const char *text)
{
	return strstr(sandbox_read_file(CLIENT_LOG), text) != NULL;
}

TEST(check_names_backend_targets_and_hooks)
{
	setup("");
	CHECK_EQ(client_run(CTL, "check", NULL), 0);
	CHECK(said(strcmp(client_backend(), "ioctl") ? "backend: kmod"
						     : "backend: ioctl"));
	CHECK(said("level 0: " SANDBOX "/a (/dev/loop"));
	CHECK(said("not frozen: /run (tmpfs): no block device"));
	CHECK(said("  " HOOK "\n"));
	CHECK(!said("problem"));
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "");
}

/* A monitor that is to use the module or nothing does not start without. */
TEST(check_knows_that_only_the_module_will_do)
{
	bool has_module = !strcmp(client_backend(), "kmod");

	setup("[general]\nbackend = kmod\n");
	CHECK_EQ(client_run(CTL, "check", NULL), has_module ? 0 : 1);
	CHECK_EQ(said("backend: kmod"), has_module);
	CHECK(!said("backend: ioctl"));
	CHECK_EQ(said("problem: backend = kmod: the kernel module is not loaded"),
		 !has_module);
	CHECK_EQ(said("remedy: "), !has_module);
}

TEST(check_tells_a_problem_and_its_remedy)
{
	setup("");
	sandbox_write_file(HOOK, "#!/bin/sh\n", 0777);
	CHECK_EQ(client_run(CTL, "check", NULL), 1);
	CHECK(said("problem: " HOOK ": refused: writable by others; remedy: "));
}

TEST(rehearse_freezes_with_hooks_and_tells_times)
{
	setup("");
	CHECK_EQ(client_run(CTL, "rehearse", NULL), 0);
	CHECK(said(" filesystems were frozen and thawed"));
	CHECK(said(SANDBOX "/a (/dev/loop"));
	CHECK(said("): flush "));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "freeze\nthaw\n");
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

/* A write blocks while the command runs, and its exit status is ours. */
TEST(run_freezes_while_the_command_runs)
{
	setup("");
	CHECK_EQ(client_run(CTL, "run", "--", "/bin/sh", "-c",
			    "(echo >" SANDBOX "/a/x) & "
			    "until grep -q percpu_rwsem /proc/$!/stack; do :; done; "
			    "exit 7",
			    NULL),
		 7);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "freeze\nthaw\n");
}

TEST(run_that_outlives_the_freeze_fails)
{
	setup("[general]\ntimeout = 1\n");
	CHECK_EQ(client_run(CTL, "run", "/bin/sh", "-c",
			    "echo >" SANDBOX "/a/x", NULL),
		 1);
	CHECK(said("fsfreeze is limited"));
}

TEST(thaw_ends_the_freeze_of_others_of_ours)
{
	struct client client;
	struct ipc_reply reply;

	setup("");
	client = client_start();
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, NULL)).count,
		 1);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(client_run(CTL, "thaw", NULL), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(client_wait_state(&client, IPC_LOST, AT_ONCE_MS));
	reply = client_answer(&client, client_send(&client, IPC_THAW));
	CHECK_EQ(reply.err, -ESTALE);
	CHECK_EQ(client_run(CTL, "thaw", NULL), 0);
}

/* --- the running monitor --- */

static struct client freeze_a(void)
{
	struct client client = client_start();

	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, NULL)).count,
		 1);
	return client;
}

/* Of another program: what an administrator's process could do. */
static int connect_admin(void)
{
	int fd = ipc_connect(IPC_ADMIN_SOCKET);

	CHECK(fd >= 0);
	return fd;
}

static void ask(int fd, enum ipc_request_type type)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request));
	request.type = type;
	request.version = IPC_VERSION;
	CHECK_EQ(ipc_send_request(fd, &request), 0);
}

/* The next reply: 0 or -errno, -EPIPE if the monitor has closed. */
static int hear(int fd, struct ipc_reply *reply)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	CHECK_EQ(poll(&p, 1, CLIENT_PATIENCE_MS), 1);
	return ipc_receive_reply(fd, reply);
}

TEST(status_and_report_need_a_monitor)
{
	static const char *const commands[] = {"status", "report"};
	size_t i;

	setup("");
	for (i = 0; i < 2; i++)
		CHECK_EQ(client_run(CTL, commands[i], NULL), 1);
	CHECK(said(
		"kfreeze-monitor does not run; remedy: systemctl start kfreezed"));
}

TEST(status_while_frozen_and_after)
{
	char line[128];
	struct client client;

	setup("[general]\ntimeout = 49\n");
	client = freeze_a();
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("state: frozen\n"));
	snprintf(line, sizeof(line), "backend: %s\n", client_backend());
	CHECK(said(line));
	CHECK_EQ(said("weaker than the module"),
		 !strcmp(client_backend(), "ioctl"));
	CHECK(said("thawed in at most 4"));
	CHECK(said("  frozen: level 0: " SANDBOX "/a (/dev/loop"));
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("state: thawed\n"));
	CHECK(said(": ok\n"));
}

/* Both are held up by a hook, which is let go at the end. */
TEST(status_during_hooks)
{
	struct client client;
	uint32_t id;

	setup("");
	CHECK_EQ(mkfifo("/run/at", 0600), 0);
	CHECK_EQ(mkfifo("/run/go", 0600), 0);
	sandbox_write_file(
		HOOK, "#!/bin/sh\necho >/run/at\nread -r x </run/go\n", 0755);
	client = client_start();
	id = client_send_freeze(&client, a, NULL);
	sandbox_read_file("/run/at");
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("state: freezing\n"));
	sandbox_write_file("/run/go", "\n", 0600);
	CHECK_EQ(client_answer(&client, id).count, 1);
	id = client_send(&client, IPC_THAW);
	sandbox_read_file("/run/at");
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("state: thawing\n"));
	CHECK(said("  thawed: level 0: " SANDBOX "/a (/dev/loop"));
	sandbox_write_file("/run/go", "\n", 0600);
	CHECK_EQ(client_answer(&client, id).err, 0);
}

TEST(report_tells_the_last_cycle)
{
	struct client client;

	setup("");
	client = client_start();
	CHECK_EQ(client_run(CTL, "report", NULL), 0);
	CHECK(said("no freeze since"));
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, NULL)).count,
		 1);
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	CHECK_EQ(client_run(CTL, "report", NULL), 0);
	CHECK(said("verdict: ok\n"));
	CHECK(said("application: ok\n"));
	CHECK(said("frozen: 20"));
	CHECK(said("  level 0: " SANDBOX "/a (/dev/loop"));
	CHECK(said("  freeze hook " HOOK ": exit status 0 after "));
	CHECK(said("  thaw hook " HOOK ": exit status 0 after "));
	CHECK_EQ(client_run(CTL, "report", "--json", NULL), 0);
	CHECK(said("{\"cycles\": [{\"id\": "));
	CHECK(said("\"targets\": [{\"mountpoint\": \"" SANDBOX "/a\""));
	CHECK_EQ(client_run(CTL, "report", "--xml", NULL), 1);
}

/* The next one takes over the socket, and what there is to tell. */
TEST(status_after_a_monitor_was_killed)
{
	struct client client;

	setup("");
	client = freeze_a();
	CHECK_EQ(kill(client.monitor, SIGKILL), 0);
	CHECK(client_wait_exit(&client, CLIENT_PATIENCE_MS) != -1);
	CHECK_EQ(client_run(CTL, "status", NULL), 1);
	CHECK(said("kfreeze-monitor does not run"));
	client = client_start();
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("the host has yet to hear: fsfreeze is limited"));
}

TEST(a_second_monitor_leaves_the_first_one_its_socket)
{
	struct client first, second;

	setup("");
	first = freeze_a();
	second = client_start();
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(said("state: frozen\n"));
	close(second.fd);
	CHECK_EQ(client_answer(&first, client_send(&first, IPC_THAW)).err, 0);
}

/* By the socket's mode; and by who they are, should somebody change that. */
TEST(others_than_root_are_refused)
{
	struct ipc_reply reply;
	struct stat st;
	int status, fd;
	pid_t pid;

	setup("");
	client_start();
	CHECK_EQ(stat(IPC_ADMIN_SOCKET, &st), 0);
	CHECK_EQ(st.st_uid, 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	pid = fork();
	if (!pid) {
		if (setuid(65534) || ipc_connect(IPC_ADMIN_SOCKET) != -EACCES)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(chmod(IPC_ADMIN_SOCKET, 0666), 0);
	pid = fork();
	if (!pid) {
		if (setuid(65534))
			_exit(1);
		fd = ipc_connect(IPC_ADMIN_SOCKET);
		_exit(fd < 0 || hear(fd, &reply) != -EPIPE);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
}

/* Each ends its own connection: the freeze goes on, others are answered. */
TEST(what_an_administrator_may_not_send_ends_its_connection)
{
	static const enum ipc_request_type types[] = {
		IPC_ADD_PATHS, IPC_FREEZE, IPC_THAW, IPC_QUERY, IPC_HELLO,
	};
	struct ipc_reply reply;
	struct client client;
	size_t i;
	int fd;

	setup("");
	client = freeze_a();
	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		fd = connect_admin();
		ask(fd, IPC_HELLO);
		CHECK_EQ(hear(fd, &reply), 0);
		ask(fd, types[i]);
		CHECK_EQ(hear(fd, &reply), -EPIPE);
		close(fd);
	}
	fd = connect_admin();
	ask(fd, IPC_STATUS); /* not greeted */
	CHECK_EQ(hear(fd, &reply), -EPIPE);
	close(fd);
	fd = connect_admin();
	CHECK_EQ(send(fd, "short", 5, 0), 5);
	CHECK_EQ(hear(fd, &reply), -EPIPE);
	close(fd);
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).count, 1);
}

/* Neither the monitor nor others wait for one that asks and does not read. */
TEST(who_does_not_read_waits_alone)
{
	struct client client;
	int fd, i;

	setup("");
	client = freeze_a();
	fd = connect_admin();
	ask(fd, IPC_HELLO);
	ask(fd, IPC_REPORT);
	for (i = 0; i < 5; i++)
		ask(fd, IPC_STATUS);
	CHECK_EQ(client_run(CTL, "status", NULL), 0);
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).count, 1);
}

TEST(unknown_commands_are_refused)
{
	setup("");
	CHECK_EQ(client_run(CTL, NULL), 1);
	CHECK_EQ(client_run(CTL, "melt", NULL), 1);
	CHECK_EQ(client_run(CTL, "run", NULL), 1);
	CHECK_EQ(client_run(CTL, "--help", NULL), 0);
	CHECK(said("rehearse"));
}
