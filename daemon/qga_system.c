// SPDX-License-Identifier: GPL-2.0
/* What runs here, where, how busy, and who is there. */
#include "qga_system.h"

#include <json-c/json.h>

#include "qga_json.h"
#include "qga_query.h"
#include "query.h"

static void add_host_name(struct json_object *result,
			  const struct query_record *record)
{
	qga_json_add_string(result, "host-name", record->text);
}

void qga_get_host_name(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_HOST_NAME};

	qga_query(request, &query, json_object_new_object(), add_host_name);
}

static void add_zone(struct json_object *result, const struct query_record *record)
{
	qga_json_add_string(result, "zone", record->zone.name);
	qga_json_add_int(result, "offset", record->zone.offset_s);
}

void qga_get_timezone(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_TIMEZONE};

	qga_query(request, &query, json_object_new_object(), add_zone);
}

static void add_load(struct json_object *result, const struct query_record *record)
{
	static const char *const keys[] = {"load1m", "load5m", "load15m"};
	unsigned int i;

	for (i = 0; i < 3; i++)
		qga_json_add(result, keys[i],
			     json_object_new_double(record->load.averages[i] /
						    65536.0));
}

void qga_get_load(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_LOAD};

	qga_query(request, &query, json_object_new_object(), add_load);
}

static void add_os(struct json_object *result, const struct query_record *record)
{
	const struct query_os *os = &record->os;

	qga_json_add_known(result, "kernel-release", os->kernel_release);
	qga_json_add_known(result, "kernel-version", os->kernel_version);
	qga_json_add_known(result, "machine", os->machine);
	qga_json_add_known(result, "id", os->id);
	qga_json_add_known(result, "name", os->name);
	qga_json_add_known(result, "pretty-name", os->pretty_name);
	qga_json_add_known(result, "version", os->version);
	qga_json_add_known(result, "version-id", os->version_id);
	qga_json_add_known(result, "variant", os->variant);
	qga_json_add_known(result, "variant-id", os->variant_id);
}

void qga_get_osinfo(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_OSINFO};

	qga_query(request, &query, json_object_new_object(), add_os);
}

static void add_user(struct json_object *result, const struct query_record *record)
{
	struct json_object *user = json_object_new_object();

	qga_json_add_string(user, "user", record->user.name);
	qga_json_add(user, "login-time",
		     json_object_new_double(record->user.login_us / 1e6));
	json_object_array_add(result, user);
}

void qga_get_users(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_USERS};

	qga_query(request, &query, json_object_new_array(), add_user);
}
