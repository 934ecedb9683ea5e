// SPDX-License-Identifier: GPL-2.0
/* guest-sync, guest-sync-delimited, guest-ping, guest-info. */
#include "qga_info.h"

#include <json-c/json.h>

#include "qga.h"
#include "qga_command.h"
#include "qga_request.h"
#include "version.h"

/* The host starts anew: whoever waits for an earlier command does no more. */
void qga_sync(struct qga_request *request)
{
	struct qga_context *context = request->context;

	request->generation = ++context->generation;
	context->ops->greeted(context->data);
	qga_return(request, json_object_get(qga_argument(request, "id")));
}

void qga_sync_delimited(struct qga_request *request)
{
	request->delimited = true;
	qga_sync(request);
}

void qga_ping(struct qga_request *request)
{
	qga_log(request, "guest-ping called");
	qga_return(request, json_object_new_object());
}

static struct json_object *describe(const struct qga_context *context,
				    const struct qga_command *command)
{
	struct json_object *object = json_object_new_object();
	bool enabled = qga_command_is_allowed(context, command);

	json_object_object_add(object, "enabled",
			       json_object_new_boolean(enabled));
	json_object_object_add(object, "name",
			       json_object_new_string(command->name));
	json_object_object_add(
		object, "success-response",
		json_object_new_boolean(!(command->flags & QGA_SILENT)));
	return object;
}

void qga_info(struct qga_request *request)
{
	struct json_object *info = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct qga_command *command;

	for (command = qga_commands; command->name; command++)
		json_object_array_add(list, describe(request->context, command));
	json_object_object_add(info, "version",
			       json_object_new_string(KFREEZED_VERSION));
	json_object_object_add(info, "supported_commands", list);
	qga_return(request, info);
}
