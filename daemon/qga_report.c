// SPDX-License-Identifier: GPL-2.0
/*
 * __org.kfreeze_report: {"cycles": [...]}, oldest first. What is not known,
 * or did not happen, is absent.
 */
#include "qga_report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_client.h"
#include "qga_json.h"
#include "qga_request.h"
#include "report_name.h"

struct collection {
	struct qga_request *request;
	struct json_object *cycles;
	struct json_object *cycle; /* the newest, owned by cycles */
};

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	if (value)
		qga_json_add(object, key, json_object_new_uint64(value));
}

static void add_cycle(struct collection *collection,
		      const struct report_cycle *cycle)
{
	struct json_object *object = json_object_new_object();

	qga_json_add(object, "id", json_object_new_int64(cycle->id));
	qga_json_add_known(object, "verdict",
			   report_name_verdict(cycle->verdict));
	qga_json_add_known(object, "reason", cycle->reason);
	/* of a freeze that was none, applications can say nothing */
	if (cycle->verdict == REPORT_OK)
		qga_json_add_known(object, "application",
				   report_name_application(cycle->application));
	qga_json_add_known(object, "backend", cycle->backend);
	qga_json_add_known(object, "backend-weaker", cycle->weaker);
	add_number(object, "freeze-realtime-ns", cycle->freeze_realtime_ns);
	add_number(object, "freeze-monotonic-ns", cycle->freeze_monotonic_ns);
	add_number(object, "thaw-realtime-ns", cycle->thaw_realtime_ns);
	add_number(object, "thaw-monotonic-ns", cycle->thaw_monotonic_ns);
	qga_json_add(object, "targets", json_object_new_array());
	qga_json_add(object, "skipped", json_object_new_array());
	qga_json_add(object, "hooks", json_object_new_array());
	json_object_array_add(collection->cycles, object);
	collection->cycle = object;
}

static struct json_object *describe_target(const struct report_target *target)
{
	struct json_object *object = json_object_new_object();
	char device[32];

	snprintf(device, sizeof(device), "%u:%u", target->major, target->minor);
	qga_json_add_known(object, "mountpoint", target->path);
	qga_json_add_known(object, "source", target->source);
	qga_json_add_known(object, "type", target->fstype);
	qga_json_add_known(object, "device", device);
	qga_json_add(object, "level", json_object_new_int64(target->level));
	if (target->err)
		qga_json_add_known(object, "error", strerror(-target->err));
	qga_json_add_known(object, "step", target->step);
	add_number(object, "flush-ns", target->flush_ns);
	add_number(object, "freeze-ns", target->freeze_ns);
	add_number(object, "hold-ns", target->hold_ns);
	add_number(object, "thaw-ns", target->thaw_ns);
	return object;
}

static struct json_object *describe_skip(const struct report_skip *skip)
{
	struct json_object *object = json_object_new_object();

	qga_json_add_known(object, "mountpoint", skip->path);
	qga_json_add_known(object, "type", skip->fstype);
	qga_json_add_known(object, "reason", skip->reason);
	return object;
}

static struct json_object *describe_hook(const struct report_hook *hook)
{
	struct json_object *object = json_object_new_object();

	qga_json_add_known(object, "path", hook->path);
	qga_json_add_known(object, "phase", hook->phase);
	if (hook->exit_code >= 0)
		qga_json_add(object, "exit-code",
			     json_object_new_int64(hook->exit_code));
	if (hook->signal)
		qga_json_add(object, "signal",
			     json_object_new_int64(hook->signal));
	qga_json_add(object, "timed-out",
		     json_object_new_boolean(hook->timed_out));
	add_number(object, "duration-ns", hook->duration_ns);
	qga_json_add_known(object, "last-line", hook->last_line);
	return object;
}

static void add_to(struct json_object *cycle, const char *list,
		   struct json_object *object)
{
	json_object_array_add(json_object_object_get(cycle, list), object);
}

static void found_record(void *data, const struct report_record *record)
{
	struct collection *collection = data;

	if (record->kind == REPORT_CYCLE) {
		add_cycle(collection, &record->cycle);
		return;
	}
	if (!collection->cycle)
		return;
	if (record->kind == REPORT_TARGET)
		add_to(collection->cycle, "targets",
		       describe_target(&record->target));
	else if (record->kind == REPORT_SKIP)
		add_to(collection->cycle, "skipped",
		       describe_skip(&record->skip));
	else
		add_to(collection->cycle, "hooks", describe_hook(&record->hook));
}

static void reported(void *data, int err, unsigned int count, const char *text)
{
	struct collection *collection = data;
	struct json_object *report;

	(void)count;
	if (err) {
		json_object_put(collection->cycles);
		qga_fail(collection->request, "%s",
			 *text ? text : strerror(-err));
	} else {
		report = json_object_new_object();
		qga_json_add(report, "cycles", collection->cycles);
		qga_return(collection->request, report);
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
