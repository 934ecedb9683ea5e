// SPDX-License-Identifier: GPL-2.0
/* Commands that ask the monitor of the system: their order and their end. */
#include "qga_harness.h"

#define EXECUTE(name) "{\"execute\":\"" name "\"}"
#define HOST_NAME EXECUTE("guest-get-host-name")
#define LOAD EXECUTE("guest-get-load")
#define SYNC "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}"
#define SYNCED "{\"return\": 1}\n"
#define PONG "{\"return\": {}}\n"
#define NAMED(name) "{\"return\": {\"host-name\": \"" name "\"}}\n"
#define GENERIC(desc) \
	"{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
#define MAX_WAITING 64 /* as in qga_query.c */

static const struct query_record alpha = {.kind = QUERY_TEXT, .text = "alpha"};

static struct ipc_request ask_host_name(void)
{
	harness_start();
	say(HOST_NAME);
	CHECK_HEARD("");
	return monitor_is_asked(QUERY_HOST_NAME);
}

static void check_nothing_is_asked(void)
{
	struct ipc_request request;

	CHECK_EQ(ipc_receive_request(monitor_fd, &request), -EAGAIN);
}

TEST(record_becomes_a_reply)
{
	struct ipc_request request = ask_host_name();

	monitor_tells(&request, &alpha);
	CHECK_HEARD("");
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(NAMED("alpha"));
	harness_stop();
}

TEST(others_are_answered_meanwhile)
{
	ask_host_name();
	say(EXECUTE("guest-ping") EXECUTE("guest-fsfreeze-status"));
	CHECK_HEARD(PONG "{\"return\": \"thawed\"}\n");
	harness_stop();
}

TEST(queries_wait_for_each_other)
{
	struct ipc_request request;

	harness_start();
	say(HOST_NAME LOAD "{\"execute\":\"guest-get-host-name\",\"id\":2}");
	request = monitor_is_asked(QUERY_HOST_NAME);
	check_nothing_is_asked();
	monitor_tells(&request, &alpha);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(NAMED("alpha"));
	forget_replies();
	request = monitor_is_asked(QUERY_LOAD);
	check_nothing_is_asked();
	monitor_answers(&request, -EIO, IPC_THAWED, 0,
			"cannot query load average");
	CHECK_HEARD(GENERIC("cannot query load average"));
	forget_replies();
	request = monitor_is_asked(QUERY_HOST_NAME);
	monitor_tells(&request, &alpha);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD("{\"return\": {\"host-name\": \"alpha\"}, \"id\": 2}\n");
	harness_stop();
}

TEST(error_without_text_names_the_errno)
{
	struct ipc_request request = ask_host_name();

	monitor_answers(&request, -ENOENT, IPC_THAWED, 0, "");
	CHECK_HEARD(GENERIC("No such file or directory"));
	harness_stop();
}

/* The next host gets its own answer, and what nobody waits for is not asked. */
TEST(host_that_has_gone_is_forgotten)
{
	struct ipc_request request;

	harness_start();
	say(HOST_NAME LOAD LOAD SYNC HOST_NAME);
	CHECK_HEARD(SYNCED);
	forget_replies();
	request = monitor_is_asked(QUERY_HOST_NAME);
	monitor_tells(&request, &alpha);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD("");
	request = monitor_is_asked(QUERY_HOST_NAME);
	monitor_tells(&request, &alpha);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(NAMED("alpha"));
	check_nothing_is_asked();
	harness_stop();
}

TEST(too_many_are_refused)
{
	size_t i;

	harness_start();
	for (i = 0; i < MAX_WAITING; i++)
		say(HOST_NAME);
	CHECK_HEARD("");
	say(HOST_NAME);
	CHECK_HEARD(GENERIC("too many commands are waiting"));
	harness_stop();
}

TEST(all_are_answered_when_the_monitor_dies)
{
	harness_start();
	say(HOST_NAME LOAD);
	monitor_dies();
	CHECK_HEARD(GENERIC("kfreeze-monitor is gone")
			    GENERIC("kfreeze-monitor is gone: restart kfreezed"));
	harness_stop();
}

TEST(all_are_answered_when_the_agent_stops)
{
	harness_start();
	say(HOST_NAME LOAD);
	monitor_client_free(client);
	CHECK_HEARD(GENERIC("kfreezed is being stopped")
			    GENERIC("kfreeze-monitor does not answer"));
	qga_free(qga);
	free(heard);
}

TEST(record_of_another_topic_is_nonsense)
{
	const struct query_record load = {.kind = QUERY_LOAD_AVERAGES};
	struct ipc_request request = ask_host_name();

	monitor_tells(&request, &load);
	CHECK_HEARD(GENERIC("kfreeze-monitor is gone"));
	harness_stop();
}

TEST(endless_records_are_nonsense)
{
	struct ipc_request request = ask_host_name();
	size_t i;

	for (i = 0; i < QUERY_MAX_RECORDS; i++)
		monitor_tells(&request, &alpha);
	CHECK_HEARD("");
	monitor_tells(&request, &alpha);
	CHECK_HEARD(GENERIC("kfreeze-monitor is gone"));
	harness_stop();
}

TEST(refused_while_frozen)
{
	harness_start();
	monitor_turns(IPC_FREEZING);
	say(HOST_NAME);
	CHECK_HEARD("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
		    "\"Command guest-get-host-name has been disabled: "
		    "the command is not allowed\"}}\n");
	check_nothing_is_asked();
	harness_stop();
}
