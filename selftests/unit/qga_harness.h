/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol between two ends the test plays: the host, by bytes, and the
 * monitor, on a socketpair.
 */
/* link: qga qga_command qga_request qga_parser qga_lexer qga_string */
/* link: qga_utf8 qga_writer qga_fsfreeze qga_info qga_report qga_cycle report_name status */
/* link: qga_query qga_json qga_system qga_time qga_stats qga_storage */
/* link: qga_net qga_unit qga_power */
/* link: monitor_client monitor_pending monitor_queue monitor_retry ipc query log */
/* libs: json-c libsystemd */
#ifndef QGA_HARNESS_H
#define QGA_HARNESS_H

#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "config.h"
#include "ipc.h"
#include "log.h"
#include "monitor_client.h"
#include "qga.h"

#define HEARD_MAX (4 << 20)

static struct qga *qga;
static struct monitor_client *client;
static struct config config = {.timeout_ms = 60000, .lost_ttl_ms = 600000};
static int monitor_fd; /* the monitor's end */
static char *heard; /* all replies since the last say() */
static size_t heard_len;
static int nr_greeted;
static size_t heard_before; /* the last greeting */

static inline void harness_reply(void *data, const char *bytes, size_t len)
{
	(void)data;
	CHECK(heard_len + len < HEARD_MAX);
	memcpy(heard + heard_len, bytes, len);
	heard_len += len;
	heard[heard_len] = '\0';
}

static inline void harness_greeted(void *data)
{
	(void)data;
	nr_greeted++;
	heard_before = heard_len;
}

static const struct qga_ops harness_ops = {
	.reply = harness_reply,
	.greeted = harness_greeted,
};

static inline struct ipc_request monitor_receives(enum ipc_request_type type)
{
	struct ipc_request request = {0};

	CHECK_EQ(ipc_receive_request(monitor_fd, &request), 0);
	CHECK_EQ(request.type, type);
	return request;
}

static inline void monitor_says(enum ipc_reply_type type, uint32_t id, int err,
				enum ipc_state state, unsigned int count,
				const char *text)
{
	struct ipc_reply reply = {
		.type = type,
		.id = id,
		.err = err,
		.state = state,
		.count = count,
	};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
	monitor_client_dispatch(client);
}

static inline void monitor_turns(enum ipc_state state)
{
	monitor_says(IPC_STATE_CHANGED, 0, 0, state, 0, "");
}

static inline void monitor_answers(const struct ipc_request *request, int err,
				   enum ipc_state state, unsigned int count,
				   const char *text)
{
	monitor_says(IPC_ANSWER, request->id, err, state, count, text);
}

static inline void monitor_tells(const struct ipc_request *request,
				 const struct query_record *record)
{
	struct ipc_reply reply = {
		.type = IPC_QUERY_RECORD,
		.id = request->id,
		.query_record = *record,
	};

	CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
	monitor_client_dispatch(client);
}

static inline struct ipc_request monitor_is_asked(enum query_topic topic)
{
	struct ipc_request request = monitor_receives(IPC_QUERY);

	CHECK_EQ(request.query.topic, topic);
	return request;
}

static inline void monitor_dies(void)
{
	close(monitor_fd);
	monitor_client_dispatch(client);
}

static inline void forget_replies(void)
{
	heard_len = 0;
	*heard = '\0';
}

/* @state: what the monitor says to a new agent */
static inline void harness_start_with(enum ipc_state state, const char *text)
{
	struct ipc_request hello;
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	monitor_fd = fds[1];
	heard = malloc(HEARD_MAX);
	CHECK(heard != NULL);
	forget_replies();
	/* what is logged is not part of the test's report */
	CHECK_EQ(log_init("test", "/dev/null", true), 0);
	client = monitor_client_new("/nonexistent", fds[0], &config);
	CHECK(client != NULL);
	CHECK(!monitor_client_is_settled(client));
	hello = monitor_receives(IPC_HELLO);
	CHECK_EQ(hello.version, IPC_VERSION);
	monitor_answers(&hello, 0, state, 0, text);
	CHECK(monitor_client_is_settled(client));
	qga = qga_new(&config, client, &harness_ops, NULL);
	CHECK(qga != NULL);
}

static inline void harness_start(void)
{
	harness_start_with(IPC_THAWED, "");
}

static inline void harness_stop(void)
{
	monitor_client_free(client);
	qga_free(qga);
	free(heard);
}

static inline void say_bytes(const char *bytes, size_t len)
{
	forget_replies();
	qga_receive(qga, bytes, len);
}

static inline void say(const char *text)
{
	say_bytes(text, strlen(text));
}

#define CHECK_HEARD(text) CHECK_STREQ(heard, text)

/* @command asks for @topic, and @records become @json. */
static inline void check_reply(const char *command, enum query_topic topic,
			       const struct query_record *records, size_t nr,
			       const char *json)
{
	struct ipc_request request;
	char text[256];
	size_t i;

	harness_start();
	snprintf(text, sizeof(text), "{\"execute\":\"%s\"}", command);
	say(text);
	request = monitor_is_asked(topic);
	for (i = 0; i < nr; i++)
		monitor_tells(&request, &records[i]);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK(!strncmp(heard, "{\"return\": ", 11));
	heard[heard_len - 2] = '\0';
	CHECK_STREQ(heard + 11, json);
	harness_stop();
}

#endif
