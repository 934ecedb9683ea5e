// SPDX-License-Identifier: GPL-2.0
/* One request and who waits for its answer. */
/* link: monitor_pending query */
#include "ktap.h"

#include "monitor_pending.h"
#include "query.h"
#include "report.h"

static struct monitor_pending pending;
static unsigned int nr_answers, nr_records;
static int last_err;

static void answer(void *data, int err, unsigned int count, const char *text)
{
	CHECK(data == &pending);
	CHECK_EQ(count, 3);
	CHECK_STREQ(text, "why");
	/* it is over: another request may be made of it at once */
	CHECK_EQ(pending.id, 0);
	last_err = err;
	nr_answers++;
	pending.id = 8;
}

static void take_record(void *data, const struct report_record *record)
{
	CHECK(data == &pending && record->kind == REPORT_SKIP);
	nr_records++;
}

static void take_query_record(void *data, const struct query_record *record)
{
	CHECK(data == &pending && record->kind == QUERY_TEXT);
	nr_records++;
}

static void ask(void)
{
	pending = (struct monitor_pending){
		.id = 7,
		.answer = answer,
		.data = &pending,
		.record = take_record,
		.query_record = take_query_record,
		.topic = QUERY_HOST_NAME,
	};
}

TEST(answer_comes_once)
{
	ask();
	monitor_pending_answer(&pending, -EIO, 3, "why");
	CHECK_EQ(nr_answers, 1);
	CHECK_EQ(last_err, -EIO);
	CHECK_EQ(pending.id, 8);
	/* of that one nobody wants to hear */
	monitor_pending_answer(&pending, -EIO, 3, "why");
	CHECK_EQ(nr_answers, 1);
}

TEST(nobody_waits)
{
	monitor_pending_answer(&pending, 0, 3, "why");
	CHECK_EQ(nr_answers, 0);
}

TEST(report_has_an_end)
{
	const struct report_record record = {.kind = REPORT_SKIP};
	const unsigned int max = REPORT_MAX_CYCLES * REPORT_MAX_RECORDS;

	ask();
	while (nr_records < max)
		CHECK_EQ(monitor_pending_take_report(&pending, &record), 0);
	CHECK_EQ(monitor_pending_take_report(&pending, &record), -EPROTO);
	CHECK_EQ(nr_records, max);
}

TEST(answer_to_a_query_has_an_end)
{
	const struct query_record record = {.kind = QUERY_TEXT};

	ask();
	while (nr_records < QUERY_MAX_RECORDS)
		CHECK_EQ(monitor_pending_take_query(&pending, &record), 0);
	CHECK_EQ(monitor_pending_take_query(&pending, &record), -EPROTO);
	CHECK_EQ(nr_records, QUERY_MAX_RECORDS);
}

TEST(record_of_another_topic_is_a_lie)
{
	const struct query_record record = {.kind = QUERY_USER};

	ask();
	CHECK_EQ(monitor_pending_take_query(&pending, &record), -EPROTO);
	CHECK_EQ(nr_records, 0);
}
