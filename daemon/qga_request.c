// SPDX-License-Identifier: GPL-2.0
/*
 * Replies. A late one whose host is gone is dropped: the next host would
 * take it for the answer to its own command.
 */
#include "qga_request.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

#include "log.h"
#include "qga.h"
#include "qga_writer.h"

/* A bigger buffer is given back once its reply is on its way. */
#define KEPT_SIZE 65536

struct qga_request *qga_request_new(struct qga_context *context)
{
	struct qga_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->context = context;
	request->generation = context->generation;
	return request;
}

bool qga_request_is_stale(const struct qga_request *request)
{
	return request->generation != request->context->generation;
}

static void free_request(struct qga_request *request)
{
	json_object_put(request->id);
	json_object_put(request->arguments);
	free(request);
}

static void shrink_line(struct qga_context *context)
{
	struct printbuf *fresh;

	if (context->line->size <= KEPT_SIZE)
		return;
	fresh = printbuf_new();
	if (!fresh)
		return;
	printbuf_free(context->line);
	context->line = fresh;
}

static int write_reply(struct qga_request *request, struct json_object *reply,
		       bool delimited)
{
	struct printbuf *line = request->context->line;

	printbuf_reset(line);
	if (delimited && printbuf_memappend(line, "\xff", 1) < 0)
		return -1;
	if (qga_write(line, reply) || printbuf_memappend(line, "\n", 1) < 0)
		return -1;
	return 0;
}

/* Takes over @reply and @request. */
static void send_reply(struct qga_request *request, struct json_object *reply,
		       bool delimited, bool silent)
{
	struct qga_context *context = request->context;

	if (!qga_request_is_stale(request) && !silent) {
		if (reply && !write_reply(request, reply, delimited))
			context->ops->reply(context->data, context->line->buf,
					    context->line->bpos);
		else
			log_err("reply: out of memory");
	}
	json_object_put(reply);
	free_request(request);
	shrink_line(context);
}

static void add_id(struct qga_request *request, struct json_object *reply)
{
	if (request->has_id)
		json_object_object_add(reply, "id", json_object_get(request->id));
}

void qga_return(struct qga_request *request, struct json_object *value)
{
	struct json_object *reply = json_object_new_object();

	if (reply) {
		json_object_object_add(reply, "return", value);
		add_id(request, reply);
	} else {
		json_object_put(value);
	}
	send_reply(request, reply, request->delimited, request->silent);
}

static void fail(struct qga_request *request, const char *class,
		 const char *fmt, va_list args)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *error = json_object_new_object();
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	if (reply && error) {
		json_object_object_add(error, "class",
				       json_object_new_string(class));
		json_object_object_add(
			error, "desc",
			json_object_new_string(text ? text : "out of memory"));
		add_id(request, reply);
		json_object_object_add(reply, "error", error);
	} else {
		json_object_put(error);
	}
	free(text);
	send_reply(request, reply, false, false);
}

void qga_fail(struct qga_request *request, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(request, "GenericError", fmt, args);
	va_end(args);
}

void qga_fail_not_found(struct qga_request *request, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fail(request, "CommandNotFound", fmt, args);
	va_end(args);
}

void qga_log(const struct qga_request *request, const char *text)
{
	char field[80];

	snprintf(field, sizeof(field), "KFREEZE_COMMAND=%s", request->command);
	log_with(LOG_INFO, field, "%s", text);
}

struct json_object *qga_argument(const struct qga_request *request,
				 const char *name)
{
	struct json_object *value = NULL;

	if (request->arguments)
		json_object_object_get_ex(request->arguments, name, &value);
	return value;
}
