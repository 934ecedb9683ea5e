// SPDX-License-Identifier: GPL-2.0
/* The agent's loop between a host and a monitor, both played by the test. */
/* link: agent channel channel_device channel_listener */
/* link: qga qga_command qga_request qga_parser qga_lexer qga_string */
/* link: qga_utf8 qga_writer qga_fsfreeze qga_info qga_report qga_cycle report_name status */
/* link: qga_query qga_json qga_system qga_time qga_stats qga_storage */
/* link: qga_net qga_unit qga_power */
/* link: monitor_client monitor_pending monitor_queue monitor_retry ipc query */
/* link: config settings ini log */
/* libs: json-c libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent.h"
#include "channel.h"
#include "config.h"
#include "ipc.h"
#include "log.h"
#include "monitor_client.h"

#define PATIENCE_MS 5000
#define SILENCE_MS 300

#define EXECUTE(name) "{\"execute\":\"" name "\"}\n"
#define PING EXECUTE("guest-ping")
#define STATUS EXECUTE("guest-fsfreeze-status")
#define FREEZE EXECUTE("guest-fsfreeze-freeze")
#define THAW EXECUTE("guest-fsfreeze-thaw")
#define PONG "{\"return\": {}}\n"
#define FROZEN "{\"return\": \"frozen\"}\n"
#define THAWED "{\"return\": \"thawed\"}\n"

static char directory[] = "/tmp/agent_test.XXXXXX";
static char port[64], monitor_path[64], log_path[64], settings[64];
static int host, listener, monitor;
static pid_t agent;

static int open_socket(int type, const char *path, bool listening)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	strcpy(address.sun_path, path);
	if (!listening) {
		CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
		return fd;
	}
	unlink(path);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(fd, 1), 0);
	return fd;
}

/* In a process of its own: it goes on until a signal ends it. */
static _Noreturn void run_agent(int opened)
{
	const struct channel_address address = {
		.method = CONFIG_UNIX_LISTEN,
		.path = port,
		.listener = -1,
	};
	static char program[] = "kfreezed";
	char *argv[] = {program, NULL};
	struct config config;
	struct agent *self;

	setenv("QGA_CONF", "/nonexistent", 1);
	setenv("KFREEZE_CONF", settings, 1);
	CHECK_EQ(log_init("test", log_path, false), 0);
	CHECK_EQ(config_load_agent(&config, 1, argv), 0);
	CHECK_EQ(agent_new(&config, &address,
			   monitor_client_new(monitor_path, -1, &config), &self),
		 0);
	CHECK_EQ(write(opened, "", 1), 1);
	CHECK_EQ(agent_run(self), 0);
	agent_free(self);
	exit(EXIT_SUCCESS);
}

static void start_agent(void)
{
	int opened[2];
	char byte;

	CHECK_EQ(pipe2(opened, O_CLOEXEC), 0);
	agent = fork();
	CHECK(agent >= 0);
	if (agent == 0)
		run_agent(opened[1]);
	close(opened[1]);
	CHECK_EQ(read(opened[0], &byte, 1), 1);
	close(opened[0]);
	host = open_socket(SOCK_STREAM, port, false);
}

static void setup(void)
{
	CHECK(mkdtemp(directory) != NULL);
	snprintf(port, sizeof(port), "%s/port", directory);
	snprintf(monitor_path, sizeof(monitor_path), "%s/monitor", directory);
	snprintf(log_path, sizeof(log_path), "%s/log", directory);
	snprintf(settings, sizeof(settings), "%s/settings", directory);
}

static void teardown(void)
{
	int status;

	CHECK_EQ(kill(agent, SIGTERM), 0);
	CHECK_EQ(waitpid(agent, &status, 0), agent);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), EXIT_SUCCESS);
	unlink(port);
	unlink(monitor_path);
	unlink(log_path);
	unlink(settings);
	CHECK_EQ(rmdir(directory), 0);
}

static bool is_readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

static void say(const char *text)
{
	CHECK_EQ(write(host, text, strlen(text)), (long)strlen(text));
}

static const char *hear(void)
{
	static char text[4096];
	size_t len = 0;

	do {
		CHECK(is_readable(host, PATIENCE_MS));
		CHECK_EQ(read(host, text + len, 1), 1);
	} while (text[len++] != '\n');
	text[len] = '\0';
	return text;
}

static const char *ask(const char *text)
{
	say(text);
	return hear();
}

static struct ipc_request monitor_receives(enum ipc_request_type type)
{
	struct ipc_request request = {0};

	CHECK(is_readable(monitor, PATIENCE_MS));
	CHECK_EQ(ipc_receive_request(monitor, &request), 0);
	CHECK_EQ(request.type, type);
	return request;
}

static void monitor_answers(const struct ipc_request *request,
			    enum ipc_state state, unsigned int count)
{
	struct ipc_reply reply = {
		.type = IPC_ANSWER,
		.id = request->id,
		.state = state,
		.count = count,
	};

	CHECK_EQ(ipc_send_reply(monitor, &reply), 0);
}

static struct ipc_request accept_agent(void)
{
	CHECK(is_readable(listener, PATIENCE_MS));
	monitor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(monitor >= 0);
	return monitor_receives(IPC_HELLO);
}

static void start_monitor(enum ipc_state state)
{
	struct ipc_request hello;

	listener = open_socket(SOCK_SEQPACKET, monitor_path, true);
	if (!agent)
		start_agent();
	hello = accept_agent();
	monitor_answers(&hello, state, 0);
}

static void freeze(void)
{
	struct ipc_request request;

	say(FREEZE);
	request = monitor_receives(IPC_FREEZE);
	monitor_answers(&request, IPC_FROZEN, 2);
	CHECK_STREQ(hear(), "{\"return\": 2}\n");
}

static int nr_logged(const char *message)
{
	char line[256];
	FILE *log = fopen(log_path, "re");
	int nr = 0;

	CHECK(log != NULL);
	while (fgets(line, sizeof(line), log))
		nr += strstr(line, message) != NULL;
	fclose(log);
	return nr;
}

/* "thawed" for want of knowing would end a snapshot job the wrong way. */
TEST(host_waits_until_the_state_is_known)
{
	struct ipc_request hello;

	setup();
	listener = open_socket(SOCK_SEQPACKET, monitor_path, true);
	start_agent();
	hello = accept_agent();
	say(STATUS);
	CHECK(!is_readable(host, SILENCE_MS));
	monitor_answers(&hello, IPC_LOST, 0);
	CHECK_STREQ(hear(), FROZEN);
	teardown();
}

TEST(host_is_served_without_a_monitor)
{
	setup();
	start_agent();
	CHECK_STREQ(ask(PING), PONG);
	CHECK_STREQ(ask(STATUS), THAWED);
	CHECK(strstr(ask(FREEZE),
		     "kfreeze-monitor is gone: try again in a moment\""));
	teardown();
}

TEST(monitor_comes_back)
{
	setup();
	start_monitor(IPC_THAWED);
	freeze();
	close(monitor);
	close(listener);
	CHECK_STREQ(ask(STATUS), FROZEN);
	start_monitor(IPC_THAWED);
	/* the new one knows of nothing, but the host has not been told */
	CHECK_STREQ(ask(STATUS), FROZEN);
	CHECK(strstr(ask(THAW), "fsfreeze is limited up to 60 seconds"));
	CHECK_STREQ(ask(STATUS), THAWED);
	freeze();
	teardown();
}

TEST(loss_outlives_the_monitor_that_told_of_it)
{
	struct ipc_reply reply = {.type = IPC_STATE_CHANGED, .state = IPC_LOST};

	setup();
	start_monitor(IPC_THAWED);
	freeze();
	strcpy(reply.text, "out of time");
	CHECK_EQ(ipc_send_reply(monitor, &reply), 0);
	CHECK_STREQ(ask(STATUS), FROZEN);
	close(monitor);
	close(listener);
	CHECK_STREQ(ask(STATUS), FROZEN);
	CHECK(strstr(ask(THAW), "\"out of time\""));
	CHECK_STREQ(ask(STATUS), THAWED);
	teardown();
}

/* Monitors tell of the loss that their predecessor has left. */
TEST(loss_is_told_once)
{
	struct ipc_request request;

	setup();
	start_monitor(IPC_THAWED);
	freeze();
	close(monitor);
	close(listener);
	start_monitor(IPC_LOST);
	CHECK_STREQ(ask(STATUS), FROZEN);
	say(THAW);
	request = monitor_receives(IPC_THAW);
	monitor_answers(&request, IPC_THAWED, 0);
	hear();
	CHECK_STREQ(ask(STATUS), THAWED);
	freeze();
	close(monitor);
	close(listener);
	CHECK(strstr(ask(THAW), "fsfreeze is limited up to 60 seconds"));
	/* this time the host has been told already */
	start_monitor(IPC_LOST);
	request = monitor_receives(IPC_THAW);
	monitor_answers(&request, IPC_THAWED, 0);
	CHECK_STREQ(ask(PING), PONG);
	CHECK_STREQ(ask(STATUS), THAWED);
	teardown();
}

/* What the new monitor is made to forget takes a while: it runs hooks. */
TEST(thaw_waits_until_a_told_loss_is_forgotten)
{
	struct ipc_request request;

	setup();
	start_monitor(IPC_THAWED);
	freeze();
	close(monitor);
	close(listener);
	CHECK(strstr(ask(THAW), "fsfreeze is limited up to 60 seconds"));
	start_monitor(IPC_LOST);
	request = monitor_receives(IPC_THAW);
	say(THAW);
	CHECK(!is_readable(host, SILENCE_MS));
	monitor_answers(&request, IPC_THAWED, 0);
	request = monitor_receives(IPC_THAW);
	monitor_answers(&request, IPC_THAWED, 0);
	CHECK_STREQ(hear(), "{\"return\": 0}\n");
	teardown();
}

TEST(nothing_is_logged_while_frozen)
{
	struct ipc_request request;

	setup();
	start_monitor(IPC_THAWED);
	CHECK_STREQ(ask(PING), PONG);
	CHECK_EQ(nr_logged("guest-ping called"), 1);
	/* in one write: the second is answered when the first is under way */
	CHECK_STREQ(ask(FREEZE PING), PONG);
	request = monitor_receives(IPC_FREEZE);
	monitor_answers(&request, IPC_FROZEN, 2);
	CHECK_STREQ(hear(), "{\"return\": 2}\n");
	CHECK_STREQ(ask(PING), PONG);
	say(THAW);
	request = monitor_receives(IPC_THAW);
	CHECK_STREQ(ask(PING), PONG);
	CHECK_EQ(nr_logged("guest-fsfreeze called"), 1);
	CHECK_EQ(nr_logged("guest-ping called"), 1);
	CHECK_EQ(nr_logged("guest-fsthaw called"), 0);
	monitor_answers(&request, IPC_THAWED, 2);
	CHECK_STREQ(hear(), "{\"return\": 2}\n");
	CHECK_STREQ(ask(PING), PONG);
	CHECK_EQ(nr_logged("guest-ping called"), 5);
	CHECK_EQ(nr_logged("guest-fsthaw called"), 1);
	teardown();
}

static void block_ping(void)
{
	FILE *file = fopen(settings, "we");

	CHECK(file != NULL);
	CHECK(fputs("[general]\nblock-rpcs = guest-ping\n", file) >= 0);
	CHECK_EQ(fclose(file), 0);
	CHECK_EQ(kill(agent, SIGHUP), 0);
}

/* Until the file has been read: that is told in the log. */
static void wait_for_log(const char *message)
{
	int left = PATIENCE_MS / 10;

	while (!nr_logged(message) && left--)
		poll(NULL, 0, 10);
	CHECK_EQ(nr_logged(message), 1);
}

TEST(settings_are_read_again)
{
	setup();
	start_monitor(IPC_THAWED);
	CHECK_STREQ(ask(PING), PONG);
	block_ping();
	wait_for_log("the settings have been read again");
	CHECK(strstr(ask(PING), "has been disabled"));
	teardown();
}

/* Opening a file may wait for a filesystem that is frozen. */
TEST(settings_are_not_read_while_frozen)
{
	struct ipc_request request;

	setup();
	start_monitor(IPC_THAWED);
	freeze();
	block_ping();
	CHECK_STREQ(ask(PING), PONG);
	CHECK_STREQ(ask(STATUS), FROZEN);
	say(THAW);
	request = monitor_receives(IPC_THAW);
	monitor_answers(&request, IPC_THAWED, 2);
	CHECK_STREQ(hear(), "{\"return\": 2}\n");
	wait_for_log("the settings have been read again");
	CHECK(strstr(ask(PING), "has been disabled"));
	teardown();
}

TEST(reply_of_a_gone_host_does_not_reach_the_next)
{
	struct ipc_request request;

	setup();
	start_monitor(IPC_THAWED);
	say("{\"execute\":\"guest-fsfreeze-freeze\",\"id\":\"first\"}");
	request = monitor_receives(IPC_FREEZE);
	close(host);
	host = open_socket(SOCK_STREAM, port, false);
	CHECK_STREQ(ask(PING), PONG);
	monitor_answers(&request, IPC_FROZEN, 2);
	CHECK(!is_readable(host, SILENCE_MS));
	CHECK_STREQ(ask(STATUS), FROZEN);
	teardown();
}

TEST(waiting_host_is_told_of_the_end)
{
	setup();
	start_monitor(IPC_THAWED);
	say(FREEZE);
	monitor_receives(IPC_FREEZE);
	teardown();
	CHECK(strstr(hear(), "kfreezed is being stopped"));
}
