// SPDX-License-Identifier: GPL-2.0
/* json-c, in fewer words. */
#include "qga_json.h"

#include <json-c/json.h>

void qga_json_add(struct json_object *object, const char *key,
		  struct json_object *value)
{
	json_object_object_add(object, key, value);
}

void qga_json_add_string(struct json_object *object, const char *key,
			 const char *value)
{
	qga_json_add(object, key, json_object_new_string(value));
}

void qga_json_add_known(struct json_object *object, const char *key,
			const char *value)
{
	if (*value)
		qga_json_add_string(object, key, value);
}

void qga_json_add_int(struct json_object *object, const char *key, int64_t value)
{
	qga_json_add(object, key, json_object_new_int64(value));
}

void qga_json_add_uint(struct json_object *object, const char *key, uint64_t value)
{
	qga_json_add(object, key, json_object_new_uint64(value));
}

void qga_json_add_bool(struct json_object *object, const char *key, bool value)
{
	qga_json_add(object, key, json_object_new_boolean(value));
}

struct json_object *qga_json_last(struct json_object *array)
{
	size_t nr = json_object_array_length(array);

	return nr ? json_object_array_get_idx(array, nr - 1) : NULL;
}
