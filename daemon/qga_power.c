// SPDX-License-Identifier: GPL-2.0
/* The host hears of a success by what the machine does. */
#include "qga_power.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "qga_query.h"
#include "qga_request.h"
#include "query.h"

static void ask(struct qga_request *request, enum query_topic topic, uint32_t mode)
{
	const struct query query = {.topic = topic, .mode = mode};

	request->silent = true;
	qga_query(request, &query, json_object_new_object(), NULL);
}

void qga_shutdown(struct qga_request *request)
{
	static const char *const names[] = {
		[QUERY_POWERDOWN] = "powerdown",
		[QUERY_HALT] = "halt",
		[QUERY_REBOOT] = "reboot",
	};
	struct json_object *mode = qga_argument(request, "mode");
	const char *name = mode ? json_object_get_string(mode) : NULL;
	char line[80];
	uint32_t i;

	snprintf(line, sizeof(line), "guest-shutdown called, mode: %.20s",
		 name ? name : "(null)");
	qga_log(request, line);
	for (i = 0; i <= QUERY_SHUTDOWN_MAX; i++) {
		if (strcmp(name ? name : names[QUERY_POWERDOWN], names[i]))
			continue;
		ask(request, QUERY_SHUTDOWN, i);
		return;
	}
	/* the parenthesis is what qemu-ga's text has */
	qga_fail(request,
		 "mode is invalid (valid values are: halt|powerdown|reboot");
}

void qga_suspend_disk(struct qga_request *request)
{
	ask(request, QUERY_SUSPEND, QUERY_SUSPEND_DISK);
}

void qga_suspend_ram(struct qga_request *request)
{
	ask(request, QUERY_SUSPEND, QUERY_SUSPEND_RAM);
}

void qga_suspend_hybrid(struct qga_request *request)
{
	ask(request, QUERY_SUSPEND, QUERY_SUSPEND_HYBRID);
}
