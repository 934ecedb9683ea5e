/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host may want to know of the system, or do to it: asked by the agent,
 * looked up or done by the monitor, answered by records of fixed size.
 */
#ifndef KFREEZE_QUERY_H
#define KFREEZE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#define QUERY_MAX_RECORDS 8192 /* of one answer */

/* Records follow only where the topic says so. */
enum query_topic {
	QUERY_HOST_NAME = 1, /* a QUERY_TEXT */
	QUERY_TIMEZONE, /* a QUERY_ZONE */
	QUERY_LOAD, /* a QUERY_LOAD_AVERAGES */
	QUERY_TOPIC_MAX = QUERY_LOAD,
};

struct query {
	uint32_t topic; /* enum query_topic */
};

enum query_record_kind {
	QUERY_TEXT = 1,
	QUERY_ZONE,
	QUERY_LOAD_AVERAGES,
	QUERY_RECORD_KIND_MAX = QUERY_LOAD_AVERAGES,
};

struct query_zone {
	char name[64];
	int32_t offset_s; /* east of UTC */
};

struct query_load {
	uint64_t averages[3]; /* 1, 5, 15 minutes, in 1/65536 */
};

struct query_record {
	uint32_t kind; /* enum query_record_kind */
	union {
		char text[256];
		struct query_zone zone;
		struct query_load load;
	};
};

/* Every enum is one, every string ends. */
bool query_is_valid(const struct query *query);
bool query_record_is_valid(const struct query_record *record);

/* A record that may answer a query about @topic. */
bool query_expects(uint32_t topic, const struct query_record *record);

#endif
