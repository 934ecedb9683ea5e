// SPDX-License-Identifier: GPL-2.0
/* Numbers in the kernel's order, by the names they have in the schema. */
#include "qga_stats.h"

#include <json-c/json.h>

#include "qga_json.h"
#include "qga_query.h"
#include "query.h"

static void add_numbers(struct json_object *object, const char *const keys[],
			const uint64_t *values, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		qga_json_add_uint(object, keys[i], values[i]);
}

static void add_cpu(struct json_object *result, const struct query_record *record)
{
	static const char *const keys[QUERY_CPU_TIMES_MAX] = {
		"user", "nice",	   "system", "idle",  "iowait",
		"irq",	"softirq", "steal",  "guest", "guestnice",
	};
	struct json_object *cpu = json_object_new_object();

	qga_json_add_string(cpu, "type", "linux");
	qga_json_add_uint(cpu, "cpu", record->cpu.cpu);
	add_numbers(cpu, keys, record->cpu.times_ms, record->cpu.nr);
	json_object_array_add(result, cpu);
}

void qga_get_cpustats(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_CPUSTATS};

	qga_query(request, &query, json_object_new_array(), add_cpu);
}

static void add_disk(struct json_object *result, const struct query_record *record)
{
	static const char *const keys[QUERY_DISK_COUNTERS_MAX] = {
		"read-ios",	  "read-merges",     "read-sectors",
		"read-ticks",	  "write-ios",	     "write-merges",
		"write-sectors",  "write-ticks",     "ios-pgr",
		"total-ticks",	  "weight-ticks",    "discard-ios",
		"discard-merges", "discard-sectors", "discard-ticks",
		"flush-ios",	  "flush-ticks",
	};
	const struct query_counters *counters = &record->counters;
	struct json_object *disk = json_object_new_object();
	struct json_object *stats = json_object_new_object();

	qga_json_add_string(disk, "name", counters->name);
	qga_json_add_uint(disk, "major", counters->major);
	qga_json_add_uint(disk, "minor", counters->minor);
	add_numbers(stats, keys, counters->values, counters->nr);
	qga_json_add(disk, "stats", stats);
	json_object_array_add(result, disk);
}

void qga_get_diskstats(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_DISKSTATS};

	qga_query(request, &query, json_object_new_array(), add_disk);
}
