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
};

bool query_is_valid(const struct query *query)
{
	switch (query->topic) {
	case QUERY_HOST_NAME:
	case QUERY_TIMEZONE:
	case QUERY_LOAD:
		return true;
	default:
		return false;
	}
}

bool query_record_is_valid(const struct query_record *record)
{
	switch (record->kind) {
	case QUERY_TEXT:
		return IS_STRING(record->text);
	case QUERY_ZONE:
		return IS_STRING(record->zone.name);
	case QUERY_LOAD_AVERAGES:
		return true;
	default:
		return false;
	}
}

bool query_expects(uint32_t topic, const struct query_record *record)
{
	return topic <= QUERY_TOPIC_MAX && expected[topic] & KIND(record->kind);
}
