// SPDX-License-Identifier: GPL-2.0
/* What the monitor tells of the system, as JSON. */
/* link: qga qga_command qga_request qga_parser qga_lexer qga_string */
/* link: qga_utf8 qga_writer qga_fsfreeze qga_info qga_report status */
/* link: qga_query qga_json qga_system qga_time qga_stats qga_storage */
/* link: qga_net qga_unit qga_power */
/* link: monitor_client ipc query log */
/* libs: json-c libsystemd */
#include "qga_harness.h"

#include <time.h>

/* @command asks for @topic, and its records become @json. */
static void check_reply(const char *command, enum query_topic topic,
			const struct query_record *records, size_t nr,
			const char *json)
{
	struct ipc_request request;
	char text[256];
	size_t i;

	harness_start();
	snprintf(text, sizeof(text), "{\"execute\":\"%s\"}", command);
	say(text);
	request = monitor_is_asked(topic);
	for (i = 0; i < nr; i++)
		monitor_tells(&request, &records[i]);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK(!strncmp(heard, "{\"return\": ", 11));
	heard[heard_len - 2] = '\0';
	CHECK_STREQ(heard + 11, json);
	harness_stop();
}

TEST(host_name)
{
	const struct query_record record = {
		.kind = QUERY_TEXT,
		.text = "a\x01\"\xff\xc3\xa9",
	};

	check_reply("guest-get-host-name", QUERY_HOST_NAME, &record, 1,
		    "{\"host-name\": \"a\\u0001\\\"\\uFFFD\\u00E9\"}");
}

TEST(timezone)
{
	const struct query_record record = {
		.kind = QUERY_ZONE,
		.zone = {.name = "NST", .offset_s = -12600},
	};

	check_reply("guest-get-timezone", QUERY_TIMEZONE, &record, 1,
		    "{\"zone\": \"NST\", \"offset\": -12600}");
}

TEST(load)
{
	const struct query_record record = {
		.kind = QUERY_LOAD_AVERAGES,
		.load = {.averages = {65536, 32768, 0}},
	};

	check_reply("guest-get-load", QUERY_LOAD, &record, 1,
		    "{\"load1m\": 1, \"load5m\": 0.5, \"load15m\": 0}");
}

TEST(time_is_now)
{
	time_t before = time(NULL);
	long long ns;

	harness_start();
	say("{\"execute\":\"guest-get-time\"}");
	CHECK_EQ(sscanf(heard, "{\"return\": %lld}\n", &ns), 1);
	CHECK(ns / 1000000000 >= before && ns / 1000000000 <= time(NULL));
	harness_stop();
}
