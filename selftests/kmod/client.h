/* SPDX-License-Identifier: GPL-2.0 */
/* A client of the kfreeze family, made for asking wrong things too. */
#ifndef CLIENT_H
#define CLIENT_H

#include <linux/kfreeze.h>
#include <stdbool.h>
#include <stdint.h>

struct nl_msg;
struct nl_sock;

/* What INFO tells. */
struct client_info {
	char version[32];
	uint32_t holder; /* enum kfreeze_holder */
	uint32_t max_targets, max_sessions;
	uint32_t timeout_ms, max_timeout_ms, flush_timeout_ms, min_interval_ms;
};

struct client {
	struct nl_sock *sock;
	int family;
	int group; /* of events */
	uint32_t session; /* of client_open(), else 0 */
	char text[128]; /* of the last error's extended ack, or "" */
	uint32_t offset; /* of what is at fault, in the last error, or 0 */
	uint32_t number; /* in the last reply: session, cycle ... */
	struct client_info info; /* in the last reply */
	struct client_result *results; /* that came before they were wanted */
};

struct client_target {
	bool present;
	uint32_t index, major, minor, level, state, step;
	int error;
	char fstype[32];
	uint64_t flush_ns, freeze_ns, hold_ns, thaw_ns;
};

/* A RESULT, an EVENT or a message of a STATUS dump. */
struct client_result {
	struct client_result *next;
	uint8_t cmd;
	uint32_t session, cycle, state, verdict, cause, event;
	uint32_t nr_targets, nr_frozen, nr_stuck, remaining_ms;
	int error;
	uint64_t hold_ns;
	struct client_target target;
};

/* No test goes on without these: they end it when they fail. */
struct client *client_new(void); /* a socket that knows the family */
struct client *client_open(void); /* with a session */
void client_close(struct client *client);
int client_fd(struct client *client);
uint32_t client_port(struct client *client);

/* 0 or the kernel's -errno, then client->text has its words. */
int client_command(struct client *client, uint8_t cmd);
int client_send(struct client *client, struct nl_msg *msg); /* freed */
/* The others wait for the end of the interval after the last freeze, which
 * another test may have left. */
int client_try(struct client *client, struct nl_msg *msg);
#define CLIENT_TOO_SOON "the last cycle ended less than min_interval_ms ago"
struct nl_msg *client_message(struct client *client, uint8_t cmd);

struct client_request {
	const int *fds;
	const uint8_t *levels; /* NULL: all 0 */
	const uint32_t *disks; /* NULL: not given */
	int nr;
	uint32_t timeout_ms; /* 0: not given */
	uint32_t flush_timeout_ms; /* 0: not given */
};
int client_freeze(struct client *client, const struct client_request *request);
struct nl_msg *client_freeze_message(struct client *client,
				     const struct client_request *request);

/*
 * client_send() in two steps. The first fails, with an error of libnl's, if
 * the kernel did not take the message; the second gives -ENOBUFS if the
 * kernel had no memory for the answer.
 */
int client_post(struct client *client, struct nl_msg *msg, uint32_t *seq);
int client_answer(struct client *client, uint32_t seq);

/* The next RESULT; false if none comes in time. */
bool client_wait(struct client *client, struct client_result *result,
		 int timeout_ms);
/* A STATUS dump, at most @max messages. The number, or -errno. */
int client_status(struct client *client, struct client_result *messages, int max);
/* INFO, asked by a client of its own. */
struct client_info client_info(void);
uint32_t client_holder(void);
/* Join the event group. 0 or -errno. */
int client_listen(struct client *client);

#endif
