// SPDX-License-Identifier: GPL-2.0
/* What a query and its records may look like. Neither side trusts the other. */
#include "query.h"

#include <stddef.h>
#include <string.h>

#define IS_STRING(array) (memchr(array, '\0', sizeof(array)) != NULL)
#define KIND(kind) (1u << (kind))

/* The kinds of records that answer a topic. */
static const uint32_t expected[] = {
	[QUERY_HOST_NAME] = KIND(QUERY_TEXT),
	[QUERY_TIMEZONE] = KIND(QUERY_ZONE),
	[QUERY_LOAD] = KIND(QUERY_LOAD_AVERAGES),
	[QUERY_OSINFO] = KIND(QUERY_OS),
	[QUERY_USERS] = KIND(QUERY_USER),
	[QUERY_SET_TIME] = 0,
	[QUERY_CPUSTATS] = KIND(QUERY_CPU_TIMES),
	[QUERY_DISKSTATS] = KIND(QUERY_DISK_COUNTERS),
	[QUERY_DISKS] = KIND(QUERY_DISK) | KIND(QUERY_DEPENDENCY) |
			KIND(QUERY_ADDRESS) | KIND(QUERY_SMART),
	[QUERY_FSINFO] = KIND(QUERY_FILESYSTEM) | KIND(QUERY_ADDRESS),
	[QUERY_FSTRIM] = KIND(QUERY_TRIMMED),
	[QUERY_INTERFACES] = KIND(QUERY_INTERFACE) | KIND(QUERY_IP),
	[QUERY_ROUTES] = KIND(QUERY_ROUTE),
	[QUERY_VCPUS] = KIND(QUERY_UNIT),
	[QUERY_SET_VCPUS] = KIND(QUERY_NUMBER),
	[QUERY_MEMORY_BLOCKS] = KIND(QUERY_UNIT),
	[QUERY_SET_MEMORY_BLOCKS] = KIND(QUERY_SWITCHED),
	[QUERY_MEMORY_BLOCK_SIZE] = KIND(QUERY_NUMBER),
	[QUERY_SHUTDOWN] = 0,
	[QUERY_SUSPEND] = 0,
};

static bool units_are_valid(const struct query *query)
{
	uint32_t i;

	if (query->units.nr > QUERY_UNITS_MAX)
		return false;
	for (i = 0; i < query->units.nr; i++) {
		if (query->units.items[i].online > 1)
			return false;
	}
	return true;
}

bool query_is_valid(const struct query *query)
{
	switch (query->topic) {
	case QUERY_SET_TIME:
		return query->set_time.is_given <= 1;
	case QUERY_SET_VCPUS:
	case QUERY_SET_MEMORY_BLOCKS:
		return units_are_valid(query);
	case QUERY_SHUTDOWN:
		return query->mode <= QUERY_SHUTDOWN_MAX;
	case QUERY_SUSPEND:
		return query->mode <= QUERY_SUSPEND_MAX;
	default:
		return query->topic && query->topic <= QUERY_TOPIC_MAX;
	}
}

static bool os_is_valid(const struct query_os *os)
{
	return IS_STRING(os->kernel_release) && IS_STRING(os->kernel_version) &&
	       IS_STRING(os->machine) && IS_STRING(os->id) &&
	       IS_STRING(os->name) && IS_STRING(os->pretty_name) &&
	       IS_STRING(os->version) && IS_STRING(os->version_id) &&
	       IS_STRING(os->variant) && IS_STRING(os->variant_id);
}

static bool address_is_valid(const struct query_address *address)
{
	return address->bus_type <= QUERY_BUS_MAX && address->ccw.is_known <= 1 &&
	       IS_STRING(address->serial) && IS_STRING(address->dev);
}

static bool filesystem_is_valid(const struct query_filesystem *filesystem)
{
	return IS_STRING(filesystem->name) && IS_STRING(filesystem->mountpoint) &&
	       IS_STRING(filesystem->type) && filesystem->has_sizes <= 1;
}

static bool route_is_valid(const struct query_route *route)
{
	return route->is_ipv6 <= 1 && IS_STRING(route->iface) &&
	       IS_STRING(route->destination) && IS_STRING(route->gateway) &&
	       IS_STRING(route->mask) && IS_STRING(route->source);
}

bool query_record_is_valid(const struct query_record *record)
{
	switch (record->kind) {
	case QUERY_TEXT:
	case QUERY_DEPENDENCY:
		return IS_STRING(record->text);
	case QUERY_ZONE:
		return IS_STRING(record->zone.name);
	case QUERY_OS:
		return os_is_valid(&record->os);
	case QUERY_USER:
		return IS_STRING(record->user.name);
	case QUERY_CPU_TIMES:
		return record->cpu.nr <= QUERY_CPU_TIMES_MAX;
	case QUERY_DISK_COUNTERS:
		return IS_STRING(record->counters.name) &&
		       record->counters.nr <= QUERY_DISK_COUNTERS_MAX;
	case QUERY_DISK:
		return IS_STRING(record->disk.name) &&
		       IS_STRING(record->disk.alias) &&
		       record->disk.is_partition <= 1;
	case QUERY_ADDRESS:
		return address_is_valid(&record->address);
	case QUERY_FILESYSTEM:
		return filesystem_is_valid(&record->filesystem);
	case QUERY_TRIMMED:
		return IS_STRING(record->trimmed.path) &&
		       IS_STRING(record->trimmed.error);
	case QUERY_INTERFACE:
		return IS_STRING(record->interface.name) &&
		       IS_STRING(record->interface.mac) &&
		       record->interface.has_counters <= 1;
	case QUERY_IP:
		return IS_STRING(record->ip.address) && record->ip.is_ipv6 <= 1;
	case QUERY_ROUTE:
		return route_is_valid(&record->route);
	case QUERY_UNIT:
		return record->unit.online <= 1 && record->unit.can_offline <= 1;
	case QUERY_SWITCHED:
		return record->switched.result <= QUERY_RESULT_MAX;
	case QUERY_LOAD_AVERAGES:
	case QUERY_SMART:
	case QUERY_NUMBER:
		return true;
	default:
		return false;
	}
}

bool query_expects(uint32_t topic, const struct query_record *record)
{
	return topic <= QUERY_TOPIC_MAX && expected[topic] & KIND(record->kind);
}
