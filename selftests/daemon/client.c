// SPDX-License-Identifier: GPL-2.0
/*
 * Speaks ipc.h to a kfreeze-monitor that it has started on a socketpair.
 */
#include "client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

#define AGENT_FD 3

static _Noreturn void die(const char *what, int err)
{
	printf("# kfreeze-monitor: cannot %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

/* Beside the tests in the build tree, or installed in the VM. */
static const char *program_path(const char *name)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
	int i;

	if (len < 0)
		die("find", -errno);
	path[len] = '\0';
	for (i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/daemon/");
	strcat(path, name);
	if (access(path, X_OK))
		snprintf(path, sizeof(path), "/usr/sbin/%s", name);
	return path;
}

/* As systemd does. */
static void redirect(void)
{
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	dup2(open(CLIENT_LOG, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600),
	     STDERR_FILENO);
}

static _Noreturn void run_monitor(int fd)
{
	const char *program = program_path("kfreeze-monitor");

	if (fd == AGENT_FD ? fcntl(fd, F_SETFD, 0) : dup2(fd, AGENT_FD) < 0)
		_exit(126);
	close_range(AGENT_FD + 1, ~0U, 0);
	redirect();
	execl(program, program, "--agent-fd=3", "--verbose", NULL);
	_exit(127);
}

/* What the monitor had to say, if the test failed. */
static void print_log(int status, void *unused)
{
	char *text, *line;

	(void)unused;
	if (status == EXIT_SUCCESS)
		return;
	text = strdup(sandbox_read_file(CLIENT_LOG));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

static void send_request(struct client *client, const struct ipc_request *request)
{
	int err;

	/* a socket that takes no more makes room as the monitor reads */
	while ((err = ipc_send_request(client->fd, request)) == -EAGAIN)
		poll(NULL, 0, 1);
	if (err)
		die("send", err);
}

struct client client_start(void)
{
	struct client client = {.next_id = 1};
	struct ipc_request hello;
	int fds[2];

	on_exit(print_log, NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		die("socketpair", -errno);
	client.monitor = fork();
	if (client.monitor < 0)
		die("fork", -errno);
	if (!client.monitor)
		run_monitor(fds[1]);
	close(fds[1]);
	client.fd = fds[0];
	memset(&hello, 0, sizeof(hello));
	hello.type = IPC_HELLO;
	hello.version = IPC_VERSION;
	send_request(&client, &hello);
	client_answer(&client, 0);
	return client;
}

int client_run(const char *name, ...)
{
	const char *program = program_path(name);
	char *argv[8] = {(char *)program};
	int status, nr = 1;
	va_list args;
	pid_t pid;

	va_start(args, name);
	while ((argv[nr] = va_arg(args, char *)))
		nr++;
	va_end(args);
	pid = fork();
	if (!pid) {
		redirect();
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execv(program, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die(name, -errno);
	return WEXITSTATUS(status);
}

uint32_t client_send(struct client *client, enum ipc_request_type type)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request));
	request.type = type;
	request.id = client->next_id++;
	send_request(client, &request);
	return request.id;
}

void client_add_path(struct client *client, const char *path)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request));
	request.type = IPC_ADD_PATHS;
	request.paths.size = strlen(path) + 1;
	memcpy(request.paths.text, path, request.paths.size);
	send_request(client, &request);
}

uint32_t client_send_freeze(struct client *client, const char *path, ...)
{
	struct ipc_request request;
	va_list paths;

	memset(&request, 0, sizeof(request));
	va_start(paths, path);
	for (; path; path = va_arg(paths, const char *)) {
		client_add_path(client, path);
		request.freeze.nr_paths++;
	}
	va_end(paths);
	request.type = IPC_FREEZE;
	request.id = client->next_id++;
	request.freeze.listed = 1;
	send_request(client, &request);
	return request.id;
}

/* One message, or -ETIMEDOUT. */
static int receive(struct client *client, struct ipc_reply *reply,
		   long long end_ms)
{
	struct pollfd fd = {.fd = client->fd, .events = POLLIN};
	long long left = end_ms - clock_ms();
	int err;

	if (left < 0 || poll(&fd, 1, left) != 1)
		return -ETIMEDOUT;
	err = ipc_receive_reply(client->fd, reply);
	if (err)
		return err;
	client->state = reply->state;
	if (reply->type == IPC_STATE_CHANGED)
		memcpy(client->text, reply->text, sizeof(client->text));
	return 0;
}

struct ipc_reply client_answer(struct client *client, uint32_t id)
{
	long long end_ms = clock_ms() + CLIENT_PATIENCE_MS;
	struct ipc_reply reply;
	int err;

	do {
		err = receive(client, &reply, end_ms);
		if (err)
			die("get an answer", err);
	} while (reply.type != IPC_ANSWER || reply.id != id);
	return reply;
}

bool client_wait_state(struct client *client, enum ipc_state state, int timeout_ms)
{
	long long end_ms = clock_ms() + timeout_ms;
	struct ipc_reply reply;

	while (client->state != state) {
		if (receive(client, &reply, end_ms))
			return false;
	}
	return true;
}

bool client_record(struct client *client, enum report_kind kind, size_t index,
		   struct report_record *record)
{
	long long end_ms = clock_ms() + CLIENT_PATIENCE_MS;
	uint32_t id = client_send(client, IPC_REPORT);
	struct ipc_reply reply;
	bool found = false;
	size_t nr = 0;
	int err;

	for (;;) {
		err = receive(client, &reply, end_ms);
		if (err)
			die("get a report", err);
		if (reply.type == IPC_ANSWER && reply.id == id)
			return found;
		if (reply.type != IPC_RECORD)
			continue;
		if (reply.record.kind == REPORT_CYCLE) {
			found = false; /* a newer cycle starts */
			nr = 0;
		}
		if (reply.record.kind != kind || nr++ != index)
			continue;
		*record = reply.record;
		found = true;
	}
}

const char *client_backend(void)
{
	const char *backend = getenv("KFREEZE_BACKEND");

	if (backend)
		return backend;
	return access("/sys/module/kfreeze", F_OK) ? "ioctl" : "kmod";
}

/* "PID (NAME) STATE PPID ..." */
static bool is_child(const char *stat, pid_t parent, const char *name)
{
	const char *open = strchr(stat, '('), *end = strrchr(stat, ')');
	int ppid;

	return open && end && end - open - 1 == (long)strlen(name) &&
	       !strncmp(open + 1, name, strlen(name)) &&
	       sscanf(end + 1, " %*c %d", &ppid) == 1 && ppid == parent;
}

pid_t client_find_child(const struct client *client, const char *name)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[300];
	pid_t pid = -1;

	while (dir && pid < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (is_child(sandbox_read_file(path), client->monitor, name))
			pid = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return pid;
}

int client_wait_exit(struct client *client, int timeout_ms)
{
	struct pollfd fd = {.events = POLLIN};
	int status;

	fd.fd = syscall(SYS_pidfd_open, client->monitor, 0);
	if (fd.fd < 0 || poll(&fd, 1, timeout_ms) != 1 ||
	    waitpid(client->monitor, &status, 0) != client->monitor)
		return -1;
	close(fd.fd);
	return status;
}
