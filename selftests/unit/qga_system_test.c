// SPDX-License-Identifier: GPL-2.0
/* What the monitor tells of the system, as JSON. */
#include "qga_harness.h"

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

TEST(osinfo)
{
	const struct query_record record = {
		.kind = QUERY_OS,
		.os = {.kernel_release = "6.1.0",
		       .kernel_version = "#1 SMP",
		       .machine = "x86_64",
		       .id = "debian",
		       .pretty_name = "Debian \"12\""},
	};

	check_reply("guest-get-osinfo", QUERY_OSINFO, &record, 1,
		    "{\"kernel-release\": \"6.1.0\", "
		    "\"kernel-version\": \"#1 SMP\", "
		    "\"machine\": \"x86_64\", \"id\": \"debian\", "
		    "\"pretty-name\": \"Debian \\\"12\\\"\"}");
}

TEST(users)
{
	const struct query_record records[] = {
		{.kind = QUERY_USER,
		 .user = {.name = "alice", .login_us = 1500000}},
		{.kind = QUERY_USER,
		 .user = {.name = "b\xff\n", .login_us = 2000000}},
	};

	check_reply("guest-get-users", QUERY_USERS, records, 2,
		    "[{\"user\": \"alice\", \"login-time\": 1.5}, "
		    "{\"user\": \"b\\uFFFD\\n\", \"login-time\": 2}]");
	check_reply("guest-get-users", QUERY_USERS, NULL, 0, "[]");
}
