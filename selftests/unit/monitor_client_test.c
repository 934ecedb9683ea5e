// SPDX-License-Identifier: GPL-2.0
/* A monitor that lies loses its agent, and the host hears the truth. */
#include "qga_harness.h"

#define FREEZE "{\"execute\":\"guest-fsfreeze-freeze\"}\n"
#define THAW "{\"execute\":\"guest-fsfreeze-thaw\"}\n"
#define REPORT "{\"execute\":\"__org.kfreeze_report\"}\n"
#define HOST_NAME "{\"execute\":\"guest-get-host-name\"}\n"

static bool is_closed(void)
{
	struct pollfd p = {.fd = monitor_fd};

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

/* The host has asked @command; the monitor answers as the row says. */
static const struct {
	const char *name;
	const char *command;
	struct ipc_reply reply; /* id: added to the request's */
	bool is_lie;
} rows[] = {
	{"frozen",
	 FREEZE,
	 {.type = IPC_ANSWER, .count = 2, .state = IPC_FROZEN},
	 false},
	{"nothing to freeze", FREEZE, {.type = IPC_ANSWER}, false},
	{"failed", FREEZE, {.type = IPC_ANSWER, .err = -EIO}, false},
	{"frozen but thawed", FREEZE, {.type = IPC_ANSWER, .count = 2}, true},
	{"frozen but freezing",
	 FREEZE,
	 {.type = IPC_ANSWER, .count = 2, .state = IPC_FREEZING},
	 true},
	{"nothing but frozen",
	 FREEZE,
	 {.type = IPC_ANSWER, .state = IPC_FROZEN},
	 true},
	{"thawed", THAW, {.type = IPC_ANSWER, .count = 2}, false},
	{"thawed but frozen", THAW, {.type = IPC_ANSWER, .state = IPC_FROZEN}, true},
	{"thawed but lost", THAW, {.type = IPC_ANSWER, .state = IPC_LOST}, true},
	{"of no request",
	 FREEZE,
	 {.type = IPC_ANSWER, .id = 7, .state = IPC_FROZEN},
	 true},
	{"of no request",
	 REPORT,
	 {.type = IPC_RECORD, .id = 7, .record.kind = REPORT_SKIP},
	 true},
	{"record", REPORT, {.type = IPC_RECORD, .record.kind = REPORT_CYCLE}, false},
	{"record of nothing", REPORT, {.type = IPC_RECORD}, true},
	{"record for a freeze",
	 FREEZE,
	 {.type = IPC_RECORD, .record.kind = REPORT_SKIP},
	 true},
	{"text",
	 HOST_NAME,
	 {.type = IPC_QUERY_RECORD, .query_record.kind = QUERY_TEXT},
	 false},
	{"other kind",
	 HOST_NAME,
	 {.type = IPC_QUERY_RECORD, .query_record.kind = QUERY_USER},
	 true},
	{"other type",
	 HOST_NAME,
	 {.type = IPC_RECORD, .record.kind = REPORT_SKIP},
	 true},
	{"state",
	 FREEZE,
	 {.type = IPC_ANSWER, .err = -EIO, .state = IPC_STATE_MAX + 1},
	 true},
	{"errno", FREEZE, {.type = IPC_ANSWER, .err = -4096}, true},
};

TEST(lie_ends_the_connection)
{
	struct ipc_request request;
	struct ipc_reply reply;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("# %s\n", rows[i].name);
		harness_start();
		say(rows[i].command);
		CHECK_EQ(ipc_receive_request(monitor_fd, &request), 0);
		reply = rows[i].reply;
		reply.id += request.id;
		CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
		monitor_client_dispatch(client);
		CHECK_EQ(is_closed(), rows[i].is_lie);
		/* the host is never told what is not so */
		if (rows[i].is_lie)
			CHECK(strstr(heard, "\"error\""));
		harness_stop();
	}
}

TEST(report_without_an_end)
{
	struct ipc_reply reply = {
		.type = IPC_RECORD,
		.record.kind = REPORT_CYCLE,
	};
	struct ipc_request request;
	size_t i;

	harness_start();
	say(REPORT);
	request = monitor_receives(IPC_REPORT);
	reply.id = request.id;
	for (i = 0; i < REPORT_MAX_CYCLES * REPORT_MAX_RECORDS; i++) {
		CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
		monitor_client_dispatch(client);
	}
	CHECK(!is_closed());
	CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
	monitor_client_dispatch(client);
	CHECK(is_closed());
	CHECK(strstr(heard, "\"error\""));
	harness_stop();
}

/* What it says last does not make the freeze forgotten. */
TEST(lie_while_frozen_is_a_lost_freeze)
{
	struct ipc_request request;

	harness_start();
	say(FREEZE);
	request = monitor_receives(IPC_FREEZE);
	monitor_answers(&request, 0, IPC_FROZEN, 2, "");
	CHECK_HEARD("{\"return\": 2}\n");
	monitor_says(IPC_ANSWER, request.id + 1, 0, IPC_THAWED, 0, "");
	CHECK(is_closed());
	say("{\"execute\":\"guest-fsfreeze-status\"}\n");
	CHECK_HEARD("{\"return\": \"frozen\"}\n");
	say(THAW);
	CHECK(strstr(heard, "fsfreeze is limited"));
	harness_stop();
}
