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

TEST(topic_expects_its_own_records)
{
	const struct query_record text = {.kind = QUERY_TEXT};

	CHECK(query_expects(QUERY_HOST_NAME, &text));
	CHECK(!query_expects(QUERY_LOAD, &text));
	CHECK(!query_expects(0, &text));
	CHECK(!query_expects(QUERY_TOPIC_MAX + 1, &text));
}
