// SPDX-License-Identifier: GPL-2.0
/* Shutdown and suspend: silence is success. */
#include "qga_harness.h"

TEST(success_is_not_answered)
{
	static const struct {
		const char *line;
		enum query_topic topic;
		uint32_t mode;
	} rows[] = {
		{"\"guest-shutdown\"", QUERY_SHUTDOWN, QUERY_POWERDOWN},
		{"\"guest-shutdown\",\"arguments\":{\"mode\":\"halt\"}",
		 QUERY_SHUTDOWN, QUERY_HALT},
		{"\"guest-shutdown\",\"arguments\":{\"mode\":\"powerdown\"}",
		 QUERY_SHUTDOWN, QUERY_POWERDOWN},
		{"\"guest-shutdown\",\"arguments\":{\"mode\":\"reboot\"}",
		 QUERY_SHUTDOWN, QUERY_REBOOT},
		{"\"guest-suspend-disk\"", QUERY_SUSPEND, QUERY_SUSPEND_DISK},
		{"\"guest-suspend-ram\"", QUERY_SUSPEND, QUERY_SUSPEND_RAM},
		{"\"guest-suspend-hybrid\"", QUERY_SUSPEND, QUERY_SUSPEND_HYBRID},
	};
	struct ipc_request request;
	char text[128];
	size_t i;

	harness_start();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"execute\":%s}", rows[i].line);
		say(text);
		request = monitor_is_asked(rows[i].topic);
		CHECK_EQ(request.query.mode, rows[i].mode);
		monitor_answers(&request, 0, IPC_THAWED, 0, "");
		CHECK_HEARD("");
	}
	harness_stop();
}

/* The machine goes down, its processes in any order. */
TEST(end_of_the_agent_or_the_monitor_is_no_failure)
{
	harness_start();
	say("{\"execute\":\"guest-shutdown\"}");
	monitor_is_asked(QUERY_SHUTDOWN);
	monitor_dies();
	CHECK_HEARD("");
	harness_stop();
	harness_start();
	say("{\"execute\":\"guest-shutdown\"}");
	monitor_is_asked(QUERY_SHUTDOWN);
	monitor_client_free(client);
	CHECK_HEARD("");
	qga_free(qga);
	free(heard);
}

TEST(failure_is_answered)
{
	struct ipc_request request;

	harness_start();
	say("{\"execute\":\"guest-suspend-ram\",\"id\":7}");
	request = monitor_is_asked(QUERY_SUSPEND);
	monitor_answers(&request, -EOPNOTSUPP, IPC_THAWED, 0, "not supported");
	CHECK_HEARD("{\"id\": 7, \"error\": {\"class\": \"GenericError\", "
		    "\"desc\": \"not supported\"}}\n");
	harness_stop();
}

TEST(unknown_mode_is_refused)
{
	harness_start();
	say("{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":\"up\"}}");
	CHECK_HEARD("{\"error\": {\"class\": \"GenericError\", \"desc\": "
		    "\"mode is invalid (valid values are: "
		    "halt|powerdown|reboot\"}}\n");
	forget_replies();
	say("{\"execute\":\"guest-shutdown\",\"arguments\":{\"mode\":1}}");
	CHECK_HEARD(
		"{\"error\": {\"class\": \"GenericError\", \"desc\": "
		"\"Invalid parameter type for 'mode', expected: string\"}}\n");
	harness_stop();
}

/* What is frozen cannot be shut down. */
TEST(refused_while_frozen)
{
	harness_start_with(IPC_FROZEN, "");
	say("{\"execute\":\"guest-shutdown\"}");
	CHECK(strstr(heard, "\"CommandNotFound\""));
	harness_stop();
}

TEST(guest_info_tells_what_is_not_answered)
{
	harness_start();
	say("{\"execute\":\"guest-info\"}");
	CHECK(strstr(heard, "\"name\": \"guest-shutdown\", "
			    "\"success-response\": false"));
	CHECK(strstr(heard, "\"name\": \"guest-ping\", "
			    "\"success-response\": true"));
	harness_stop();
}
