/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A database's own command line client as a child: statements go to its
 * standard input, answers come from its output. It lives no longer than we do.
 * SIGPIPE is to be ignored: it may end before it has read all.
 */
#ifndef KFREEZE_HOOKS_CLIENT_PROCESS_H
#define KFREEZE_HOOKS_CLIENT_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENT_LINE_MAX (PATH_MAX + 256) /* a path, and its name */

struct passwd;

struct client {
	pid_t pid; /* 0: not started */
	int input_fd, output_fd;
	unsigned int nr_statements;
	size_t len;
	char text[CLIENT_LINE_MAX]; /* of a line that is not yet whole */
	char answer[CLIENT_LINE_MAX]; /* the last whole line, or "" */
};

uint64_t client_now_ms(void);

/* @program: its name; @other: what it may be called instead, or NULL; @user: to
 * run as, or NULL; @homeless: finds nothing that root has there. 0 or -errno;
 * that it cannot be executed shows when it is asked. */
struct client_spec {
	const char *program, *other;
	const char *const *argv;
	const struct passwd *user;
	bool homeless;
};

int client_start(struct client *client, const struct client_spec *spec);

/*
 * Run @statement, without its semicolon. 0: the last line of its result is in
 * answer. -ETIMEDOUT; or -EPIPE: the client has ended, as it does on an error,
 * and answer is what it said.
 */
int client_ask(struct client *client, const char *statement,
	       uint64_t deadline_ms);

/* Why it failed with @err: what the client said last, or else. */
const char *client_reason(const struct client *client, int err);

/* The connection ends, and with it all it holds. */
void client_stop(struct client *client);

#endif
