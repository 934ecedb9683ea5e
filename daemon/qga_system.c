// SPDX-License-Identifier: GPL-2.0
/* The name of the host, its clock, time zone and load. */
#include "qga_system.h"

#include <json-c/json.h>
#include <time.h>

#include "qga_query.h"
#include "qga_request.h"
#include "query.h"

/* A result of one object. */
static void ask(struct qga_request *request, enum query_topic topic,
		qga_query_record_fn record)
{
	const struct query query = {.topic = topic};

	qga_query(request, &query, json_object_new_object(), record);
}

static void add(struct json_object *object, const char *key,
		struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_host_name(struct json_object *result,
			  const struct query_record *record)
{
	add(result, "host-name", json_object_new_string(record->text));
}

void qga_get_host_name(struct qga_request *request)
{
	ask(request, QUERY_HOST_NAME, add_host_name);
}

static void add_zone(struct json_object *result, const struct query_record *record)
{
	add(result, "zone", json_object_new_string(record->zone.name));
	add(result, "offset", json_object_new_int64(record->zone.offset_s));
}

void qga_get_timezone(struct qga_request *request)
{
	ask(request, QUERY_TIMEZONE, add_zone);
}

void qga_get_time(struct qga_request *request)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	qga_return(request, json_object_new_int64(now.tv_sec * 1000000000LL +
						  now.tv_nsec));
}

static void add_load(struct json_object *result, const struct query_record *record)
{
	static const char *const keys[] = {"load1m", "load5m", "load15m"};
	unsigned int i;

	for (i = 0; i < 3; i++)
		add(result, keys[i],
		    json_object_new_double(record->load.averages[i] / 65536.0));
}

void qga_get_load(struct qga_request *request)
{
	ask(request, QUERY_LOAD, add_load);
}
