// SPDX-License-Identifier: GPL-2.0
/*
 * guest-get-vcpus, guest-set-vcpus, guest-get-memory-blocks,
 * guest-set-memory-blocks, guest-get-memory-block-info.
 */
#include "qga_unit.h"

#include <json-c/json.h>
#include <string.h>

#include "qga_json.h"
#include "qga_query.h"
#include "qga_request.h"
#include "query.h"

static void add_unit(struct json_object *result, const char *index_key,
		     const struct query_unit *unit)
{
	struct json_object *object = json_object_new_object();

	qga_json_add_bool(object, "online", unit->online);
	qga_json_add_bool(object, "can-offline", unit->can_offline);
	qga_json_add_uint(object, index_key, unit->index);
	json_object_array_add(result, object);
}

static void add_vcpu(struct json_object *result, const struct query_record *record)
{
	add_unit(result, "logical-id", &record->unit);
}

static void add_block(struct json_object *result,
		      const struct query_record *record)
{
	add_unit(result, "phys-index", &record->unit);
}

void qga_get_vcpus(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_VCPUS};

	qga_query(request, &query, json_object_new_array(), add_vcpu);
}

void qga_get_memory_blocks(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_MEMORY_BLOCKS};

	qga_query(request, &query, json_object_new_array(), add_block);
}

static void add_size(struct json_object *result, const struct query_record *record)
{
	qga_json_add_uint(result, "size", record->number);
}

void qga_get_memory_block_info(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_MEMORY_BLOCK_SIZE};

	qga_query(request, &query, json_object_new_object(), add_size);
}

/* The element of a list that is being looked at, for what is wrong with it. */
struct element {
	struct qga_request *request;
	const char *list;
	size_t index;
};

/* False: @element's request has been answered with what is wrong. */
static bool take_member(const struct element *element, struct json_object *object,
			const char *key, json_type type, const char *type_name,
			struct json_object **value)
{
	if (!json_object_object_get_ex(object, key, value)) {
		qga_fail(element->request, "Parameter '%s[%zu].%s' is missing",
			 element->list, element->index, key);
		return false;
	}
	if (json_object_is_type(*value, type))
		return true;
	qga_fail(element->request,
		 "Invalid parameter type for '%s[%zu].%s', expected: %s",
		 element->list, element->index, key, type_name);
	return false;
}

static bool check_others(const struct element *element,
			 struct json_object *object, const char *index_key)
{
	struct json_object_iter member;

	json_object_object_foreachC(object, member)
	{
		if (!strcmp(member.key, index_key) ||
		    !strcmp(member.key, "online"))
			continue;
		if (!strcmp(member.key, "can-offline") &&
		    json_object_is_type(member.val, json_type_boolean))
			continue;
		if (!strcmp(member.key, "can-offline"))
			qga_fail(element->request,
				 "Invalid parameter type for '%s[%zu].can-offline', expected: boolean",
				 element->list, element->index);
		else
			qga_fail(element->request,
				 "Parameter '%s[%zu].%s' is unexpected",
				 element->list, element->index, member.key);
		return false;
	}
	return true;
}

static bool take_unit(const struct element *element, struct json_object *object,
		      const char *index_key, struct query *query)
{
	struct json_object *index, *online;
	int64_t number;

	if (!take_member(element, object, index_key, json_type_int, "integer",
			 &index) ||
	    !take_member(element, object, "online", json_type_boolean,
			 "boolean", &online) ||
	    !check_others(element, object, index_key))
		return false;
	number = json_object_get_int64(index);
	if (number < 0 || number >= UINT32_MAX)
		number = UINT32_MAX; /* there is none of that number */
	query->units.items[element->index].index = number;
	query->units.items[element->index].online = json_object_get_boolean(
		online);
	return true;
}

static bool take_units(struct qga_request *request, const char *list,
		       const char *index_key, struct query *query)
{
	struct json_object *array = qga_argument(request, list);
	struct element element = {request, list, 0};

	query->units.nr = json_object_array_length(array);
	if (query->units.nr > QUERY_UNITS_MAX) {
		qga_fail(request, "Parameter '%s' has more than %d elements",
			 list, QUERY_UNITS_MAX);
		return false;
	}
	for (; element.index < query->units.nr; element.index++) {
		if (!take_unit(&element,
			       json_object_array_get_idx(array, element.index),
			       index_key, query))
			return false;
	}
	return true;
}

static void set_number(struct json_object *result,
		       const struct query_record *record)
{
	json_object_set_int64(result, record->number);
}

void qga_set_vcpus(struct qga_request *request)
{
	struct query query = {.topic = QUERY_SET_VCPUS};

	if (take_units(request, "vcpus", "logical-id", &query))
		qga_query(request, &query, json_object_new_int64(0), set_number);
}

static void add_switched(struct json_object *result,
			 const struct query_record *record)
{
	static const char *const names[] = {
		[QUERY_DONE] = "success",
		[QUERY_NOT_FOUND] = "not-found",
		[QUERY_NOT_SUPPORTED] = "operation-not-supported",
		[QUERY_FAILED] = "operation-failed",
	};
	const struct query_switched *switched = &record->switched;
	struct json_object *object = json_object_new_object();

	qga_json_add_uint(object, "phys-index", switched->index);
	qga_json_add_string(object, "response", names[switched->result]);
	if (switched->result != QUERY_DONE)
		qga_json_add_int(object, "error-code", switched->err);
	json_object_array_add(result, object);
}

void qga_set_memory_blocks(struct qga_request *request)
{
	struct query query = {.topic = QUERY_SET_MEMORY_BLOCKS};

	if (take_units(request, "mem-blks", "phys-index", &query))
		qga_query(request, &query, json_object_new_array(), add_switched);
}
