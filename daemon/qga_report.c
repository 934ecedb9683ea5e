// SPDX-License-Identifier: GPL-2.0
/* __org.kfreeze_report: the last cycles, oldest first. */
#include "qga_report.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_client.h"
#include "qga_cycle.h"
#include "qga_request.h"

struct collection {
	struct qga_request *request;
	struct json_object *cycles;
};

static void found_record(void *data, const struct report_record *record)
{
	struct collection *collection = data;

	qga_cycle_add(collection->cycles, record);
}

static void reported(void *data, int err, unsigned int count, const char *text)
{
	struct collection *collection = data;

	(void)count;
	if (err) {
		json_object_put(collection->cycles);
		qga_fail(collection->request, "%s",
			 *text ? text : strerror(-err));
	} else {
		qga_return(collection->request,
			   qga_cycle_report(collection->cycles));
	}
	free(collection);
}

void qga_report(struct qga_request *request)
{
	struct collection *collection = calloc(1, sizeof(*collection));

	if (!collection) {
		qga_fail(request, "out of memory");
		return;
	}
	collection->request = request;
	collection->cycles = json_object_new_array();
	monitor_report(request->context->monitor, found_record, reported,
		       collection);
}
