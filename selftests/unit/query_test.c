// SPDX-License-Identifier: GPL-2.0
/* Queries and records: what is malformed is refused. */
/* link: query */
#include "ktap.h"

#include <stddef.h>

#include "query.h"

TEST(every_topic_and_no_other)
{
	struct query query = {0};

	for (query.topic = 1; query.topic <= QUERY_TOPIC_MAX; query.topic++)
		CHECK(query_is_valid(&query));
	CHECK(!query_is_valid(&query));
	query.topic = 0;
	CHECK(!query_is_valid(&query));
	query.topic = UINT32_MAX;
	CHECK(!query_is_valid(&query));
}

TEST(every_kind_of_record_and_no_other)
{
	struct query_record record = {0};
	uint32_t topic, nr;

	for (record.kind = 1; record.kind <= QUERY_RECORD_KIND_MAX;
	     record.kind++) {
		CHECK(query_record_is_valid(&record));
		for (nr = 0, topic = 1; topic <= QUERY_TOPIC_MAX; topic++)
			nr += query_expects(topic, &record);
		CHECK(nr);
	}
	CHECK(!query_record_is_valid(&record));
	record.kind = 0;
	CHECK(!query_record_is_valid(&record));
	record.kind = UINT32_MAX;
	CHECK(!query_record_is_valid(&record));
}

/* Strings of every kind of record, by offset and size. */
#define STRING(kind, member)                                       \
	{                                                          \
		kind, offsetof(struct query_record, member),       \
			sizeof(((struct query_record *)0)->member) \
	}
static const struct {
	enum query_record_kind kind;
	size_t offset, size;
} strings[] = {
	STRING(QUERY_TEXT, text),
	STRING(QUERY_ZONE, zone.name),
	STRING(QUERY_OS, os.kernel_release),
	STRING(QUERY_OS, os.kernel_version),
	STRING(QUERY_OS, os.machine),
	STRING(QUERY_OS, os.id),
	STRING(QUERY_OS, os.name),
	STRING(QUERY_OS, os.pretty_name),
	STRING(QUERY_OS, os.version),
	STRING(QUERY_OS, os.version_id),
	STRING(QUERY_OS, os.variant),
	STRING(QUERY_OS, os.variant_id),
	STRING(QUERY_USER, user.name),
	STRING(QUERY_DISK_COUNTERS, counters.name),
	STRING(QUERY_DISK, disk.name),
	STRING(QUERY_DISK, disk.alias),
	STRING(QUERY_DEPENDENCY, text),
	STRING(QUERY_ADDRESS, address.serial),
	STRING(QUERY_ADDRESS, address.dev),
	STRING(QUERY_FILESYSTEM, filesystem.name),
	STRING(QUERY_FILESYSTEM, filesystem.mountpoint),
	STRING(QUERY_FILESYSTEM, filesystem.type),
	STRING(QUERY_TRIMMED, trimmed.path),
	STRING(QUERY_TRIMMED, trimmed.error),
};

TEST(strings_without_an_end_are_refused)
{
	struct query_record record;
	size_t i;

	for (i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		memset(&record, 0, sizeof(record));
		record.kind = strings[i].kind;
		CHECK(query_record_is_valid(&record));
		memset((char *)&record + strings[i].offset, 'a', strings[i].size);
		CHECK(!query_record_is_valid(&record));
	}
}

/* Numbers that have a limit. */
#define LIMIT(kind, member, most)                                 \
	{                                                         \
		kind, offsetof(struct query_record, member), most \
	}
static const struct {
	enum query_record_kind kind;
	size_t offset;
	uint32_t most;
} limits[] = {
	LIMIT(QUERY_CPU_TIMES, cpu.nr, QUERY_CPU_TIMES_MAX),
	LIMIT(QUERY_DISK_COUNTERS, counters.nr, QUERY_DISK_COUNTERS_MAX),
	LIMIT(QUERY_DISK, disk.is_partition, 1),
	LIMIT(QUERY_ADDRESS, address.bus_type, QUERY_BUS_MAX),
	LIMIT(QUERY_ADDRESS, address.ccw.is_known, 1),
	LIMIT(QUERY_FILESYSTEM, filesystem.has_sizes, 1),
};

TEST(numbers_beyond_their_limit_are_refused)
{
	struct query_record record;
	uint32_t number;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		memset(&record, 0, sizeof(record));
		record.kind = limits[i].kind;
		number = limits[i].most;
		memcpy((char *)&record + limits[i].offset, &number,
		       sizeof(number));
		CHECK(query_record_is_valid(&record));
		number++;
		memcpy((char *)&record + limits[i].offset, &number,
		       sizeof(number));
		CHECK(!query_record_is_valid(&record));
	}
}

TEST(set_time_is_with_a_time_or_without)
{
	struct query query = {.topic = QUERY_SET_TIME};

	CHECK(query_is_valid(&query));
	query.set_time.is_given = 1;
	CHECK(query_is_valid(&query));
	query.set_time.is_given = 2;
	CHECK(!query_is_valid(&query));
}

TEST(topic_expects_its_own_records)
{
	const struct query_record text = {.kind = QUERY_TEXT};

	CHECK(query_expects(QUERY_HOST_NAME, &text));
	CHECK(!query_expects(QUERY_LOAD, &text));
	CHECK(!query_expects(0, &text));
	CHECK(!query_expects(QUERY_TOPIC_MAX + 1, &text));
}
