// SPDX-License-Identifier: GPL-2.0
/* Interfaces with their addresses, and routes. */
#include "qga_net.h"

#include <json-c/json.h>
#include <stdio.h>

#include "qga_json.h"
#include "qga_query.h"
#include "query.h"

static void add_interface(struct json_object *result,
			  const struct query_interface *interface)
{
	static const char *const keys[QUERY_NET_COUNTERS] = {
		"rx-bytes", "rx-packets", "rx-errs", "rx-dropped",
		"tx-bytes", "tx-packets", "tx-errs", "tx-dropped",
	};
	struct json_object *object = json_object_new_object();
	struct json_object *statistics;
	unsigned int i;

	qga_json_add_string(object, "name", interface->name);
	qga_json_add_known(object, "hardware-address", interface->mac);
	if (interface->has_counters) {
		statistics = json_object_new_object();
		for (i = 0; i < QUERY_NET_COUNTERS; i++)
			qga_json_add_uint(statistics, keys[i],
					  interface->counters[i]);
		qga_json_add(object, "statistics", statistics);
	}
	json_object_array_add(result, object);
}

static void add_ip(struct json_object *result, const struct query_ip *ip)
{
	struct json_object *interface = qga_json_last(result);
	struct json_object *list, *object;

	if (!interface)
		return;
	if (!json_object_object_get_ex(interface, "ip-addresses", &list)) {
		list = json_object_new_array();
		qga_json_add(interface, "ip-addresses", list);
	}
	object = json_object_new_object();
	qga_json_add_string(object, "ip-address", ip->address);
	qga_json_add_string(object, "ip-address-type",
			    ip->is_ipv6 ? "ipv6" : "ipv4");
	qga_json_add_uint(object, "prefix", ip->prefix);
	json_object_array_add(list, object);
}

static void add_interface_or_ip(struct json_object *result,
				const struct query_record *record)
{
	if (record->kind == QUERY_INTERFACE)
		add_interface(result, &record->interface);
	else
		add_ip(result, &record->ip);
}

void qga_network_get_interfaces(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_INTERFACES};

	qga_query(request, &query, json_object_new_array(), add_interface_or_ip);
}

static void add_ipv4(struct json_object *object, const struct query_route *route)
{
	qga_json_add_string(object, "gateway", route->gateway);
	qga_json_add_string(object, "mask", route->mask);
	qga_json_add_int(object, "mtu", route->mtu);
	qga_json_add_int(object, "window", route->window);
	qga_json_add_int(object, "irtt", route->irtt);
}

/* The schema has these two lengths as strings. */
static void add_ipv6(struct json_object *object, const struct query_route *route)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", route->prefix);
	qga_json_add_string(object, "desprefixlen", digits);
	qga_json_add_string(object, "source", route->source);
	snprintf(digits, sizeof(digits), "%u", route->source_prefix);
	qga_json_add_string(object, "srcprefixlen", digits);
	qga_json_add_string(object, "nexthop", route->gateway);
}

static void add_route(struct json_object *result,
		      const struct query_record *record)
{
	const struct query_route *route = &record->route;
	struct json_object *object = json_object_new_object();

	qga_json_add_string(object, "iface", route->iface);
	qga_json_add_string(object, "destination", route->destination);
	qga_json_add_int(object, "metric", route->metric);
	qga_json_add_uint(object, "flags", route->flags);
	qga_json_add_int(object, "refcnt", route->refcnt);
	qga_json_add_int(object, "use", route->use);
	if (route->is_ipv6)
		add_ipv6(object, route);
	else
		add_ipv4(object, route);
	qga_json_add_uint(object, "version", route->is_ipv6 ? 6 : 4);
	json_object_array_add(result, object);
}

void qga_network_get_route(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_ROUTES};

	qga_query(request, &query, json_object_new_array(), add_route);
}
