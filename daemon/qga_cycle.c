// SPDX-License-Identifier: GPL-2.0
/* {"cycles": [...]}. What is not known, or did not happen, is absent. */
#include "qga_cycle.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "qga_json.h"
#include "report.h"
#include "report_name.h"

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	if (value)
		qga_json_add(object, key, json_object_new_uint64(value));
}

static struct json_object *describe_cycle(const struct report_cycle *cycle)
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
	return object;
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

void qga_cycle_add(struct json_object *cycles, const struct report_record *record)
{
	struct json_object *cycle = qga_json_last(cycles);

	if (record->kind == REPORT_CYCLE)
		json_object_array_add(cycles, describe_cycle(&record->cycle));
	else if (!cycle)
		return;
	else if (record->kind == REPORT_TARGET)
		add_to(cycle, "targets", describe_target(&record->target));
	else if (record->kind == REPORT_SKIP)
		add_to(cycle, "skipped", describe_skip(&record->skip));
	else
		add_to(cycle, "hooks", describe_hook(&record->hook));
}

struct json_object *qga_cycle_report(struct json_object *cycles)
{
	struct json_object *report = json_object_new_object();

	qga_json_add(report, "cycles", cycles);
	return report;
}
