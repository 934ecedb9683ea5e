// SPDX-License-Identifier: GPL-2.0
/* Processors and memory as JSON, in both directions. */
#include "qga_harness.h"

static const struct query_record units[] = {
	{.kind = QUERY_UNIT, .unit = {.index = 0, .online = 1}},
	{.kind = QUERY_UNIT, .unit = {.index = 1, .can_offline = 1}},
};

TEST(vcpus)
{
	check_reply("guest-get-vcpus", QUERY_VCPUS, units, 2,
		    "[{\"online\": true, \"can-offline\": false, "
		    "\"logical-id\": 0}, {\"online\": false, "
		    "\"can-offline\": true, \"logical-id\": 1}]");
}

TEST(memory_blocks)
{
	check_reply("guest-get-memory-blocks", QUERY_MEMORY_BLOCKS, units, 2,
		    "[{\"online\": true, \"can-offline\": false, "
		    "\"phys-index\": 0}, {\"online\": false, "
		    "\"can-offline\": true, \"phys-index\": 1}]");
}

TEST(memory_block_size)
{
	const struct query_record record = {
		.kind = QUERY_NUMBER,
		.number = 134217728,
	};

	check_reply("guest-get-memory-block-info", QUERY_MEMORY_BLOCK_SIZE,
		    &record, 1, "{\"size\": 134217728}");
}

TEST(vcpus_are_set)
{
	const struct query_record record = {.kind = QUERY_NUMBER, .number = 2};
	struct ipc_request request;

	harness_start();
	say("{\"execute\":\"guest-set-vcpus\",\"arguments\":{\"vcpus\":["
	    "{\"logical-id\":3,\"online\":false,\"can-offline\":true},"
	    "{\"online\":true,\"logical-id\":9223372036854775807}]}}");
	request = monitor_is_asked(QUERY_SET_VCPUS);
	CHECK_EQ(request.query.units.nr, 2);
	CHECK_EQ(request.query.units.items[0].index, 3);
	CHECK_EQ(request.query.units.items[0].online, 0);
	CHECK_EQ(request.query.units.items[1].index, UINT32_MAX);
	CHECK_EQ(request.query.units.items[1].online, 1);
	monitor_tells(&request, &record);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD("{\"return\": 2}\n");
	harness_stop();
}

TEST(memory_blocks_are_set)
{
	const struct query_record records[] = {
		{.kind = QUERY_SWITCHED, .switched = {.index = 4}},
		{.kind = QUERY_SWITCHED, .switched = {5, QUERY_NOT_FOUND, ENOENT}},
		{.kind = QUERY_SWITCHED,
		 .switched = {6, QUERY_NOT_SUPPORTED, ENOENT}},
		{.kind = QUERY_SWITCHED, .switched = {7, QUERY_FAILED, EBUSY}},
	};
	struct ipc_request request;
	size_t i;

	harness_start();
	say("{\"execute\":\"guest-set-memory-blocks\",\"arguments\":{"
	    "\"mem-blks\":[{\"phys-index\":4,\"online\":true}]}}");
	request = monitor_is_asked(QUERY_SET_MEMORY_BLOCKS);
	CHECK_EQ(request.query.units.items[0].index, 4);
	for (i = 0; i < 4; i++)
		monitor_tells(&request, &records[i]);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD("{\"return\": [{\"phys-index\": 4, \"response\": \"success\"}, "
		    "{\"phys-index\": 5, \"response\": \"not-found\", "
		    "\"error-code\": 2}, "
		    "{\"phys-index\": 6, "
		    "\"response\": \"operation-not-supported\", "
		    "\"error-code\": 2}, "
		    "{\"phys-index\": 7, \"response\": \"operation-failed\", "
		    "\"error-code\": 16}]}\n");
	harness_stop();
}

TEST(what_is_wrong_with_a_list)
{
	static const struct {
		const char *list, *text;
	} rows[] = {
		{"7", "Invalid parameter type for 'vcpus', expected: array"},
		{"[7]", "Invalid parameter type for 'vcpus[0]', expected: object"},
		{"[{}]", "Parameter 'vcpus[0].logical-id' is missing"},
		{"[{\"logical-id\":1}]", "Parameter 'vcpus[0].online' is missing"},
		{"[{\"logical-id\":\"1\",\"online\":true}]",
		 "Invalid parameter type for 'vcpus[0].logical-id', expected: integer"},
		{"[{\"logical-id\":1,\"online\":true},"
		 "{\"logical-id\":1,\"online\":1}]",
		 "Invalid parameter type for 'vcpus[1].online', expected: boolean"},
		{"[{\"logical-id\":1,\"online\":true,\"can-offline\":1}]",
		 "Invalid parameter type for 'vcpus[0].can-offline', expected: boolean"},
		{"[{\"logical-id\":1,\"online\":true,\"foo\":1}]",
		 "Parameter 'vcpus[0].foo' is unexpected"},
	};
	char text[512];
	size_t i;

	harness_start();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
			 "{\"execute\":\"guest-set-vcpus\",\"arguments\":"
			 "{\"vcpus\":%s}}",
			 rows[i].list);
		say(text);
		snprintf(text, sizeof(text),
			 "{\"error\": {\"class\": \"GenericError\", "
			 "\"desc\": \"%s\"}}\n",
			 rows[i].text);
		CHECK_HEARD(text);
		forget_replies();
	}
	harness_stop();
}
