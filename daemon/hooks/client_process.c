// SPDX-License-Identifier: GPL-2.0
/*
 * No shell, no file: two pipes. After each statement a SELECT of a mark, which
 * every SQL client answers once the statement is done.
 */
#include "client_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MARK "kfreeze-done-%u"

uint64_t client_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static int become(const struct passwd *user)
{
	if (!user)
		return 0;
	if (initgroups(user->pw_name, user->pw_gid) || setgid(user->pw_gid) ||
	    setuid(user->pw_uid) || setenv("HOME", user->pw_dir, 1))
		return -errno;
	return 0;
}

/* In the child. The signal is set last: a change of user would clear it. */
static _Noreturn void run(const struct client_spec *spec, int input_fd,
			  int output_fd, pid_t parent)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(input_fd, STDIN_FILENO) < 0 ||
	    dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0 || become(spec->user) ||
	    (spec->homeless && setenv("HOME", "/nonexistent", 1)) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(126);
	execvp(spec->program, (char *const *)spec->argv);
	if (spec->other)
		execvp(spec->other, (char *const *)spec->argv);
	dprintf(STDERR_FILENO, "%s: cannot execute: %s\n", spec->program,
		strerror(errno));
	_exit(127);
}

int client_start(struct client *client, const struct client_spec *spec)
{
	int input[2], output[2], err;
	pid_t parent = getpid();

	*client = (struct client){0};
	if (pipe2(input, O_CLOEXEC))
		return -errno;
	if (pipe2(output, O_CLOEXEC)) {
		err = -errno;
		close(input[0]);
		close(input[1]);
		return err;
	}
	client->input_fd = input[1];
	client->output_fd = output[0];
	client->pid = fork();
	if (client->pid == 0)
		run(spec, input[0], output[1], parent);
	err = client->pid < 0 ? -errno : 0;
	close(input[0]);
	close(output[1]);
	if (err) {
		client->pid = 0;
		close(input[1]);
		close(output[0]);
	}
	return err;
}

/* True once the mark has come; other lines are answers. */
static bool take_line(struct client *client, const char *mark)
{
	bool done = false;
	char *end;
	size_t len;

	while (!done && (end = memchr(client->text, '\n', client->len))) {
		*end++ = '\0';
		if (!strcmp(client->text, mark))
			done = true;
		else if (*client->text)
			strcpy(client->answer, client->text);
		len = end - client->text;
		client->len -= len;
		memmove(client->text, end, client->len);
	}
	if (client->len == sizeof(client->text))
		client->len = 0; /* no line of interest is that long */
	return done;
}

static int read_answer(struct client *client, const char *mark,
		       uint64_t deadline_ms)
{
	struct pollfd pfd = {.fd = client->output_fd, .events = POLLIN};
	uint64_t now;
	ssize_t len;

	for (;;) {
		now = client_now_ms();
		if (now >= deadline_ms || poll(&pfd, 1, deadline_ms - now) == 0)
			return -ETIMEDOUT;
		len = read(client->output_fd, client->text + client->len,
			   sizeof(client->text) - client->len);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return -EPIPE;
		client->len += len;
		if (take_line(client, mark))
			return 0;
	}
}

int client_ask(struct client *client, const char *statement, uint64_t deadline_ms)
{
	char mark[32];

	snprintf(mark, sizeof(mark), MARK, ++client->nr_statements);
	*client->answer = '\0';
	/* A client that has ended may have left an answer that says why. */
	dprintf(client->input_fd, "%s;\nSELECT '%s';\n", statement, mark);
	return read_answer(client, mark, deadline_ms);
}

const char *client_reason(const struct client *client, int err)
{
	if (*client->answer)
		return client->answer;
	return err == -EPIPE ? "its client has ended" : strerror(-err);
}

void client_stop(struct client *client)
{
	if (!client->pid)
		return;
	kill(client->pid, SIGKILL);
	waitpid(client->pid, NULL, 0);
	close(client->input_fd);
	close(client->output_fd);
	client->pid = 0;
}
