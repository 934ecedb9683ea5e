// SPDX-License-Identifier: GPL-2.0
/* A monitor that lies loses its agent, and the host hears the truth. */
#include "qga_harness.h"

#include <sys/un.h>
#include <time.h>

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

/* --- a monitor that takes connections and ends them --- */

#define BUSY_MS 1500 /* at 0, 100, 300, 700 and 1500 ms, not every 100 ms */
#define SOON_MS 1000
#define PATIENCE_MS 5000

static char directory[] = "/tmp/monitor_client_test.XXXXXX";
static char monitor_path[64], log_path[64];
static int listener;

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void start_listening(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	CHECK(mkdtemp(directory) != NULL);
	snprintf(monitor_path, sizeof(monitor_path), "%s/monitor", directory);
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	CHECK_EQ(log_init("test", log_path, false), 0);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, monitor_path);
	CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(listener, 1), 0);
	client = monitor_client_new(monitor_path, -1, &config);
	CHECK(client != NULL);
}

static void stop_listening(void)
{
	monitor_client_free(client);
	close(listener);
	unlink(monitor_path);
	unlink(log_path);
	CHECK_EQ(rmdir(directory), 0);
}

/* The next connection's hello, in monitor_fd; false if none comes in time. */
static bool is_greeted(long long until_ms, struct ipc_request *hello)
{
	struct pollfd fds[] = {
		{.fd = listener, .events = POLLIN},
		{.fd = monitor_client_fd(client), .events = POLLIN},
	};

	while (now_ms() < until_ms) {
		poll(fds, 2, until_ms - now_ms());
		if (fds[1].revents)
			monitor_client_dispatch(client);
		if (!fds[0].revents)
			continue;
		monitor_fd = accept(listener, NULL, NULL);
		*hello = monitor_receives(IPC_HELLO);
		return true;
	}
	return false;
}

static void close_connection(const struct ipc_request *hello)
{
	(void)hello;
	monitor_dies();
}

static void refuse(const struct ipc_request *hello)
{
	monitor_answers(hello, -EPROTONOSUPPORT, IPC_THAWED, 0,
			"of different versions");
	close(monitor_fd);
}

static int nr_logged(const char *text)
{
	char line[512];
	FILE *file = fopen(log_path, "re");
	int nr = 0;

	while (file && fgets(line, sizeof(line), file))
		nr += strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return nr;
}

static void check_patience(void (*end)(const struct ipc_request *hello))
{
	long long until_ms = now_ms() + BUSY_MS;
	struct ipc_request hello;
	int nr = 0;

	start_listening();
	for (; is_greeted(until_ms, &hello); nr++)
		end(&hello);
	CHECK(nr >= 3);
	CHECK(nr <= 5);
	CHECK_EQ(nr_logged("kfreeze-monitor"), 1);
	/* one that answers, and is lost: this is another story */
	CHECK(is_greeted(now_ms() + PATIENCE_MS, &hello));
	monitor_answers(&hello, 0, IPC_THAWED, 0, "");
	monitor_dies();
	CHECK_EQ(nr_logged("kfreeze-monitor"), 2);
	CHECK(is_greeted(now_ms() + SOON_MS, &hello));
	close(monitor_fd);
	stop_listening();
}

TEST(closed_connections_are_tried_less_and_less)
{
	check_patience(close_connection);
}

TEST(refusals_are_tried_less_and_less)
{
	check_patience(refuse);
}

/* The one second is over when the next one is tried. */
TEST(lost_freeze_is_lost_once)
{
	struct ipc_request hello;

	start_listening();
	CHECK(is_greeted(now_ms() + PATIENCE_MS, &hello));
	monitor_answers(&hello, 0, IPC_FROZEN, 0, "");
	monitor_dies();
	CHECK(monitor_client_may_be_frozen(client));
	CHECK(is_greeted(now_ms() + PATIENCE_MS, &hello));
	refuse(&hello);
	CHECK(!monitor_client_may_be_frozen(client));
	CHECK_EQ(monitor_state(client), IPC_LOST);
	stop_listening();
}
