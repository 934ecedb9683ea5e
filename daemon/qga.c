// SPDX-License-Identifier: GPL-2.0
/*
 * The envelope around commands: {"execute", "arguments", "id"} in,
 * {"return"} or {"error"} out. What is wrong with it is told as qemu-ga does.
 */
#include "qga.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "qga_command.h"
#include "qga_parser.h"
#include "qga_query.h"
#include "qga_request.h"

struct qga {
	struct qga_context context;
	struct qga_parser *parser;
};

static struct qga_request *new_request(struct qga *qga)
{
	struct qga_request *request = qga_request_new(&qga->context);

	if (!request)
		log_err("request: out of memory");
	return request;
}

/* False: @request has been answered with what is wrong with its envelope. */
static bool take_member(struct qga_request *request, const char *key,
			struct json_object *value, const char **command)
{
	if (!strcmp(key, "id"))
		return true;
	if (!strcmp(key, "execute")) {
		if (!json_object_is_type(value, json_type_string)) {
			qga_fail(request,
				 "QMP input member 'execute' must be a string");
			return false;
		}
		*command = json_object_get_string(value);
		return true;
	}
	if (!strcmp(key, "arguments")) {
		if (!json_object_is_type(value, json_type_object)) {
			qga_fail(request,
				 "QMP input member 'arguments' must be an object");
			return false;
		}
		request->arguments = json_object_get(value);
		return true;
	}
	qga_fail(request, "QMP input member '%s' is unexpected", key);
	return false;
}

static void take_object(struct qga_request *request, struct json_object *object)
{
	const struct qga_command *command;
	struct json_object_iter member;
	const char *name = NULL;

	request->has_id = json_object_object_get_ex(object, "id", &request->id);
	json_object_get(request->id);
	json_object_object_foreachC(object, member)
	{
		if (!take_member(request, member.key, member.val, &name))
			return;
	}
	if (!name) {
		qga_fail(request, "QMP input lacks member 'execute'");
		return;
	}
	command = qga_command_find(name);
	if (command)
		qga_command_run(command, request);
	else
		qga_fail_not_found(request, "The command %s has not been found",
				   name);
}

static void found_value(void *data, struct json_object *value)
{
	struct qga_request *request = new_request(data);

	if (request && json_object_is_type(value, json_type_object))
		take_object(request, value);
	else if (request)
		qga_fail(request, "QMP input must be a JSON object");
	json_object_put(value);
}

static void found_error(void *data, const char *text)
{
	struct qga_request *request = new_request(data);

	if (request)
		qga_fail(request, "%s", text);
}

static void found_reset(void *data)
{
	struct qga *qga = data;

	qga->context.generation++;
}

static const struct qga_parser_ops parser_ops = {
	.value = found_value,
	.error = found_error,
	.reset = found_reset,
};

struct qga *qga_new(const struct config *config, struct monitor_client *monitor,
		    const struct qga_ops *ops, void *data)
{
	struct qga *qga = calloc(1, sizeof(*qga));

	if (!qga)
		return NULL;
	qga->context = (struct qga_context){
		.config = config,
		.monitor = monitor,
		.queries = qga_queries_new(),
		.line = printbuf_new(),
		.ops = ops,
		.data = data,
	};
	qga->parser = qga_parser_new(&parser_ops, qga);
	if (qga->context.queries && qga->context.line && qga->parser)
		return qga;
	qga_free(qga);
	return NULL;
}

void qga_free(struct qga *qga)
{
	if (!qga)
		return;
	qga_parser_free(qga->parser);
	qga_queries_free(qga->context.queries);
	if (qga->context.line)
		printbuf_free(qga->context.line);
	free(qga);
}

void qga_receive(struct qga *qga, const char *bytes, size_t len)
{
	qga_parser_feed(qga->parser, bytes, len);
}

void qga_forget_input(struct qga *qga)
{
	qga_parser_reset(qga->parser);
}

void qga_forget_host(struct qga *qga)
{
	qga->context.generation++;
	qga_forget_input(qga);
}

void qga_print_commands(void)
{
	const struct qga_command *command;

	for (command = qga_commands; command->name; command++)
		puts(command->name);
}
