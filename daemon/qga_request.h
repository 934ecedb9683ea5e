/* SPDX-License-Identifier: GPL-2.0 */
/* One command of a host on its way to its reply, at once or later. */
#ifndef KFREEZE_QGA_REQUEST_H
#define KFREEZE_QGA_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct json_object;
struct monitor_client;
struct printbuf;
struct qga_ops;
struct qga_queries;
struct qga_request;

/* What the commands of one port have in common. */
struct qga_context {
	const struct config *config;
	struct monitor_client *monitor;
	/* of the host that talks now; replies to an earlier one are dropped */
	unsigned int generation;
	struct qga_request *thaw; /* waits for the monitor's answer, or NULL */
	struct qga_queries *queries; /* wait for the monitor's answers */
	struct printbuf *line; /* a reply being written */
	const struct qga_ops *ops;
	void *data;
};

struct qga_request {
	struct qga_context *context;
	const char *command; /* its name */
	unsigned int generation;
	bool has_id;
	bool silent; /* nothing is replied, if the command succeeds */
	bool delimited; /* 0xFF before the reply, if the command succeeds */
	struct json_object *id; /* NULL is JSON's null */
	struct json_object *arguments; /* NULL: none */
};

struct qga_request *qga_request_new(struct qga_context *context);

/* The host that asked is gone, or has started anew. */
bool qga_request_is_stale(const struct qga_request *request);

/* Each ends @request: exactly one of them is called. @value is taken over. */
void qga_return(struct qga_request *request, struct json_object *value);
void qga_fail(struct qga_request *request, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void qga_fail_not_found(struct qga_request *request, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The line that admins know: "guest-ping called". */
void qga_log(const struct qga_request *request, const char *text);

/* The argument, or NULL if it is absent. */
struct json_object *qga_argument(const struct qga_request *request,
				 const char *name);

#endif
