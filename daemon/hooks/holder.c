// SPDX-License-Identifier: GPL-2.0
/*
 * Freeze hook and thaw hook meet the holder at a socket below /run, which is no
 * disk. While it waits the holder touches nothing but memory and this socket.
 */
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "application.h"
#include "client_process.h"
#include "instances.h"

#define DIRECTORY "/run/kfreeze/locks"
#define REPORT_MAX 65536

struct holder {
	const struct instance *instances;
	struct client *clients; /* of each instance; not started: not locked */
	size_t nr, nr_locked;
	const struct holder_limits *limits;
	uint64_t started_ms;
	int listen_fd, runner_fd;
};

static int complain(const char *what, int err)
{
	printf("%s: %s: %s\n", application.name, what, strerror(-err));
	return 1;
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	snprintf(addr.sun_path, sizeof(addr.sun_path), DIRECTORY "/%s.sock",
		 application.name);
	return addr;
}

/* Only root gets through the directory. */
static int listen_for_thaw(void)
{
	struct sockaddr_un addr = address();
	int fd, err;

	mkdir("/run/kfreeze", 0755);
	mkdir(DIRECTORY, 0700);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Of our standard output, for all that is left to be said by instance_say(). */
static void redirect(int fd)
{
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(1);
	close(fd);
}

static int lock_all(struct holder *holder)
{
	uint64_t deadline = holder->started_ms + holder->limits->prepare_ms;
	int status = APPLICATION_IDLE, err;
	size_t i;

	for (i = 0; i < holder->nr; i++) {
		err = application.prepare(&holder->instances[i],
					  &holder->clients[i], deadline);
		if (err)
			client_stop(&holder->clients[i]);
		else
			holder->nr_locked++;
		if (err < 0)
			status = 1;
		else if (!err && status == APPLICATION_IDLE)
			status = 0;
	}
	return status;
}

/* The connection of the thaw hook; or -1: nobody will come any more. */
static int wait_for_thaw(const struct holder *holder)
{
	uint64_t now, end = holder->started_ms + holder->limits->hold_ms;
	struct pollfd pfds[] = {
		{.fd = holder->listen_fd, .events = POLLIN},
		{.fd = holder->runner_fd, .events = POLLIN},
	};

	do {
		now = client_now_ms();
		if (now >= end || pfds[1].revents)
			return -1;
		poll(pfds, 2, end - now);
	} while (!pfds[0].revents);
	return accept4(holder->listen_fd, NULL, NULL, SOCK_CLOEXEC);
}

static int unlock(const struct holder *holder, size_t i, uint64_t deadline)
{
	const struct instance *instance = &holder->instances[i];
	struct client *client = &holder->clients[i];
	int err;

	if (!client->pid)
		return 0;
	err = client_ask(client, application.unlock, deadline);
	if (err)
		instance_say(instance, "the lock was lost: %s",
			     client_reason(client, err));
	else
		instance_say(instance, "unlocked after %.3f s",
			     (client_now_ms() - holder->started_ms) / 1000.0);
	client_stop(client);
	return err;
}

/* The last byte tells the thaw hook its status. */
static void unlock_all(const struct holder *holder)
{
	uint64_t deadline = client_now_ms() + holder->limits->prepare_ms;
	char status = '0';
	size_t i;

	for (i = 0; i < holder->nr; i++) {
		if (unlock(holder, i, deadline))
			status = '1';
	}
	putchar(status);
	fflush(stdout);
}

static _Noreturn void hold(struct holder *holder, int status_fd)
{
	int fd, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	char status;

	status = lock_all(holder);
	if (!holder->nr_locked)
		unlink(address().sun_path);
	/* A page that has to come back from swap may have to wait for a disk. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	redirect(null);
	if (write(status_fd, &status, 1) != 1 || !holder->nr_locked)
		_exit(1);
	close(status_fd);
	fd = wait_for_thaw(holder);
	if (fd < 0)
		_exit(1); /* the thaw hook will find nobody at the socket */
	redirect(fd);
	unlock_all(holder);
	_exit(0);
}

static int fork_holder(struct holder *holder)
{
	char status = 1;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return complain("pipe", -errno);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		hold(holder, fds[1]);
	}
	close(fds[1]);
	if (pid < 0)
		return complain("fork", -errno);
	if (read(fds[0], &status, 1) != 1)
		return complain("the holder of the locks died", -EPIPE);
	return status;
}

int holder_start(const struct instance *instances, size_t nr,
		 const struct holder_limits *limits)
{
	struct holder holder = {
		.instances = instances,
		.clients = calloc(nr, sizeof(*holder.clients)),
		.nr = nr,
		.limits = limits,
		.started_ms = client_now_ms(),
		.runner_fd = pidfd_open(getppid(), 0),
	};
	int status;

	if (!holder.clients)
		return complain("no memory", -ENOMEM);
	holder_release(limits->prepare_ms); /* of a cycle without a thaw */
	holder.listen_fd = listen_for_thaw();
	if (holder.listen_fd < 0)
		return complain(DIRECTORY, holder.listen_fd);
	status = fork_holder(&holder);
	close(holder.listen_fd);
	close(holder.runner_fd);
	free(holder.clients);
	return status;
}

/* What the holder has to say goes to our output; its last byte is returned. */
static char copy_report(int fd)
{
	static char report[REPORT_MAX];
	size_t total = 0;
	ssize_t len;

	while (total < sizeof(report) &&
	       (len = read(fd, report + total, sizeof(report) - total)) > 0)
		total += len;
	if (!total)
		return '\0';
	fwrite(report, 1, total - 1, stdout);
	return report[total - 1];
}

int holder_release(uint32_t limit_ms)
{
	struct timeval limit = {.tv_sec = limit_ms / 1000 + 1};
	struct sockaddr_un addr = address();
	char status = '\0';
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return complain("socket", -errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		status = copy_report(fd);
	else if (errno == ENOENT)
		status = '0'; /* nothing was locked */
	close(fd);
	unlink(addr.sun_path);
	if (status != '0' && status != '1')
		printf("%s: the lock was lost: its holder is gone\n",
		       application.name);
	return status == '0' ? 0 : 1;
}
