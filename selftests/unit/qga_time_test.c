// SPDX-License-Identifier: GPL-2.0
/* The clock: read at once, set by the monitor. */
#include "qga_harness.h"

#include <time.h>

#define SET_TIME(time) \
	"{\"execute\":\"guest-set-time\",\"arguments\":{\"time\":" time "}}"
#define INVALID \
	"{\"error\": {\"class\": \"GenericError\", \"desc\": \"Invalid time\"}}\n"

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

TEST(time_is_set)
{
	struct ipc_request request;

	harness_start();
	say(SET_TIME("1800000000123456789"));
	request = monitor_is_asked(QUERY_SET_TIME);
	CHECK_EQ(request.query.set_time.is_given, 1);
	CHECK_EQ(request.query.set_time.ns, 1800000000123456789);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD("{\"return\": {}}\n");
	harness_stop();
}

TEST(without_a_time_the_hardware_knows)
{
	struct ipc_request request;

	harness_start();
	say("{\"execute\":\"guest-set-time\"}");
	request = monitor_is_asked(QUERY_SET_TIME);
	CHECK_EQ(request.query.set_time.is_given, 0);
	monitor_answers(&request, -EIO, IPC_THAWED, 0, "no clock");
	CHECK_HEARD("{\"error\": {\"class\": \"GenericError\", "
		    "\"desc\": \"no clock\"}}\n");
	harness_stop();
}

/* From 1970 to 2069. */
TEST(time_beyond_reason_is_refused)
{
	harness_start();
	say(SET_TIME("-1"));
	CHECK_HEARD(INVALID);
	say(SET_TIME("3155760000000000000"));
	CHECK_HEARD(INVALID);
	say(SET_TIME("3155759999999999999"));
	CHECK_HEARD("");
	monitor_is_asked(QUERY_SET_TIME);
	harness_stop();
}
