// SPDX-License-Identifier: GPL-2.0
/* kfreezed and its monitor as a host sees them, on loop devices. */
/* link: ipc query */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define PATIENCE_MS 15000
#define PORT SANDBOX "/port"
#define LOG "/var/log/kfreezed"

#define EXECUTE(name) "{\"execute\":\"" name "\"}\n"
#define PING EXECUTE("guest-ping")
#define STATUS EXECUTE("guest-fsfreeze-status")
#define THAW EXECUTE("guest-fsfreeze-thaw")
#define FREEZE_A                                                        \
	"{\"execute\":\"guest-fsfreeze-freeze-list\",\"arguments\":{\"" \
	"mountpoints\":[\"" SANDBOX "/a\",\"" SANDBOX "/b\"]}}\n"
#define RETURN(value) "{\"return\": " value "}"

static pid_t agent;
static int host;

/* What it had to say, if the test failed. */
static void show_log(int status, void *unused)
{
	const char *line = status ? sandbox_read_file(LOG) : "";
	const char *end;

	(void)unused;
	for (; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		printf("# log: %.*s\n", (int)(end - line), line);
	}
}

/* Beside the tests in the build tree, or installed in the VM. */
static const char *program(void)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);
	int i;

	CHECK(len > 0);
	path[len] = '\0';
	for (i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/daemon/kfreezed");
	return access(path, X_OK) ? "/usr/sbin/kfreezed" : path;
}

static _Noreturn void run_agent(void)
{
	const char *path = program();
	int fd = open(LOG, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

	dup2(fd, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execl(path, path, "--method=unix-listen", "--path=" PORT, NULL);
	_exit(127);
}

static int connect_host(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PORT};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long long deadline = clock_ms() + PATIENCE_MS;

	CHECK(fd >= 0);
	while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		CHECK(clock_ms() < deadline);
		CHECK(kill(agent, 0) == 0);
		poll(NULL, 0, 10);
	}
	return fd;
}

static void start(const char *conf)
{
	SANDBOX_ENTER(conf);
	sandbox_write_file("/etc/passwd",
			   "root:x:0:0::/:/bin/sh\n"
			   "kfreezed:x:61234:61234::/:/bin/false\n",
			   0644);
	sandbox_mount("a", NULL);
	sandbox_mount("b", NULL);
	on_exit(show_log, NULL);
	agent = fork();
	CHECK(agent >= 0);
	if (agent == 0)
		run_agent();
	host = connect_host();
}

static void say(const char *text)
{
	CHECK_EQ(write(host, text, strlen(text)), (long)strlen(text));
}

/* The next line, without its newline. */
static const char *hear(int timeout_ms)
{
	struct pollfd p = {.fd = host, .events = POLLIN};
	static char line[1 << 20];
	size_t len = 0;

	while (len < sizeof(line) - 1) {
		if (poll(&p, 1, timeout_ms) != 1)
			return "(silence)";
		if (read(host, line + len, 1) != 1)
			return "(end)";
		if (line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return line;
}

static const char *ask(const char *text)
{
	say(text);
	return hear(PATIENCE_MS);
}

static void freeze(void)
{
	CHECK_STREQ(ask(FREEZE_A), RETURN("2"));
}

static bool is_writable(int timeout_ms)
{
	return sandbox_is_writable(sandbox_path("a"), timeout_ms) &&
	       sandbox_is_writable(sandbox_path("b"), timeout_ms);
}

/* The agent's only child. */
static pid_t find_monitor(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", agent, agent);
	return atoi(sandbox_read_file(path));
}

static void check_lost(const char *reply)
{
	if (strstr(reply, "\"GenericError\"") &&
	    strstr(reply, "fsfreeze is limited up to"))
		return;
	KTAP_SAY("not the error of a lost freeze: %s", reply);
	exit(EXIT_FAILURE);
}

TEST(freeze_and_thaw)
{
	struct writer writer;
	const char *report;

	start("");
	CHECK_STREQ(ask(STATUS), RETURN("\"thawed\""));
	freeze();
	writer = writer_start(sandbox_path("a"));
	CHECK(writer_blocks(&writer));
	CHECK(sandbox_is_frozen(sandbox_path("b")));
	CHECK_STREQ(ask(PING), RETURN("{}"));
	CHECK_STREQ(ask(STATUS), RETURN("\"frozen\""));
	CHECK(strstr(ask(FREEZE_A),
		     "has been disabled: the command is not allowed"));
	CHECK_STREQ(ask(THAW), RETURN("2"));
	CHECK(writer_ends(&writer, AT_ONCE_MS));
	CHECK(is_writable(AT_ONCE_MS));
	CHECK_STREQ(ask(STATUS), RETURN("\"thawed\""));
	report = ask(EXECUTE("__org.kfreeze_report"));
	CHECK(strstr(report, "\"verdict\": \"ok\""));
	CHECK(strstr(report, "\"mountpoint\": \"" SANDBOX "/a\""));
}

TEST(second_host_finds_what_the_first_left)
{
	start("");
	freeze();
	close(host);
	host = connect_host();
	CHECK_STREQ(ask(STATUS), RETURN("\"frozen\""));
	CHECK_STREQ(ask(THAW), RETURN("2"));
	CHECK(is_writable(AT_ONCE_MS));
}

TEST(deadline_makes_the_thaw_an_error)
{
	start("[general]\ntimeout = 1\n");
	freeze();
	CHECK(is_writable(PATIENCE_MS));
	CHECK_STREQ(ask(STATUS), RETURN("\"frozen\""));
	check_lost(ask(THAW));
	CHECK_STREQ(ask(STATUS), RETURN("\"thawed\""));
	CHECK_STREQ(ask(THAW), RETURN("0"));
}

TEST(killed_agent_thaws)
{
	start("");
	freeze();
	CHECK_EQ(kill(agent, SIGKILL), 0);
	CHECK(is_writable(AT_ONCE_MS));
}

TEST(stopped_agent_thaws)
{
	int status;

	start("");
	freeze();
	CHECK_EQ(kill(agent, SIGTERM), 0);
	CHECK(is_writable(AT_ONCE_MS));
	CHECK_EQ(waitpid(agent, &status, 0), agent);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(killed_monitor_thaws_and_is_told)
{
	pid_t monitor;

	start("");
	freeze();
	monitor = find_monitor();
	CHECK(monitor > 0);
	CHECK_EQ(kill(monitor, SIGKILL), 0);
	CHECK(is_writable(AT_ONCE_MS));
	CHECK_STREQ(ask(PING), RETURN("{}"));
	CHECK_STREQ(ask(STATUS), RETURN("\"frozen\""));
	check_lost(ask(THAW));
	CHECK(strstr(ask(FREEZE_A), "kfreeze-monitor is gone: restart kfreezed"));
}

#define HOOK                               \
	"#!/bin/sh\n"                      \
	"echo $1 >>" SANDBOX "/hook-ran\n" \
	"test $1 = thaw || read line <" SANDBOX "/gate\n"

static void start_with_slow_hook(void)
{
	start("");
	CHECK_EQ(mkfifo(SANDBOX "/gate", 0600), 0);
	sandbox_write_file("/etc/kfreeze/hooks.d/slow", HOOK, 0755);
	say(FREEZE_A);
	while (!strstr(sandbox_read_file(SANDBOX "/hook-ran"), "freeze"))
		poll(NULL, 0, 10);
}

TEST(slow_hook_does_not_silence_the_agent)
{
	int gate;

	start_with_slow_hook();
	CHECK_STREQ(ask(PING), RETURN("{}"));
	CHECK_STREQ(ask(STATUS), RETURN("\"thawed\""));
	gate = open(SANDBOX "/gate", O_WRONLY | O_CLOEXEC);
	CHECK_EQ(write(gate, "\n", 1), 1);
	close(gate);
	CHECK_STREQ(hear(PATIENCE_MS), RETURN("2"));
	CHECK_STREQ(ask(THAW), RETURN("2"));
	CHECK_STREQ(sandbox_read_file(SANDBOX "/hook-ran"), "freeze\nthaw\n");
}

TEST(thaw_aborts_a_freeze_in_its_hooks)
{
	start_with_slow_hook();
	say(THAW);
	CHECK(strstr(hear(PATIENCE_MS), "aborted"));
	CHECK_STREQ(hear(PATIENCE_MS), RETURN("0"));
	CHECK_STREQ(sandbox_read_file(SANDBOX "/hook-ran"), "freeze\nthaw\n");
	CHECK(is_writable(AT_ONCE_MS));
}

TEST(agent_has_nothing_to_steal)
{
	static const char *const lines[] = {
		"\nUid:\t61234\t61234\t61234\t61234\n",
		"\nCapInh:\t0000000000000000\n",
		"\nCapPrm:\t0000000000000000\n",
		"\nCapEff:\t0000000000000000\n",
		"\nCapBnd:\t0000000000000000\n",
		"\nCapAmb:\t0000000000000000\n",
		"\nNoNewPrivs:\t1\n",
		"\nSeccomp:\t2\n",
		"\nThreads:\t1\n",
	};
	const char *status;
	char path[64];
	size_t i;

	start("");
	CHECK_STREQ(ask(PING), RETURN("{}"));
	snprintf(path, sizeof(path), "/proc/%d/status", agent);
	status = sandbox_read_file(path);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK(strstr(status, lines[i]));
	CHECK(!strstr(status, "\nVmLck:\t       0 kB\n"));
}

/* CAP_SYS_TIME, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_IPC_LOCK, CAP_KILL and
 * CAP_DAC_READ_SEARCH: what kfreeze-monitor.8 says. */
TEST(monitor_keeps_what_its_manual_says)
{
	char path[64];

	start("");
	CHECK_STREQ(ask(PING), RETURN("{}"));
	freeze();
	CHECK_STREQ(ask(THAW), RETURN("2"));
	snprintf(path, sizeof(path), "/proc/%d/status", find_monitor());
	CHECK(strstr(sandbox_read_file(path), "\nCapPrm:\t0000000002284024\n"));
	CHECK(strstr(sandbox_read_file(path), "\nCapEff:\t0000000002284024\n"));
	CHECK(strstr(sandbox_read_file(path), "\nCapInh:\t0000000000000000\n"));
	CHECK(strstr(sandbox_read_file(path), "\nCapAmb:\t0000000000000000\n"));
}

#define FLOOD 100000 /* questions */
#define MIB (1UL << 20)
#define AGENT_MIB 7 /* as in kfreezed.8 */

/* The most memory that a process has had so far, of what its manual says. */
static void check_memory(pid_t pid, long limit_mib)
{
	const char *line;
	char path[64];
	long kib;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	line = strstr(sandbox_read_file(path), "VmHWM:");
	CHECK(line);
	kib = atol(line + sizeof("VmHWM:"));
	printf("# %ld KiB\n", kib);
	CHECK(kib > 0 && kib <= limit_mib * 1024);
}

/* As much of it as is taken within a second: the rest nobody reads. */
static void pour(const char *bytes, size_t len, size_t total)
{
	struct pollfd p = {.fd = host, .events = POLLOUT};
	size_t sent = 0;
	ssize_t written;

	CHECK_EQ(fcntl(host, F_SETFL, O_NONBLOCK), 0);
	while (sent < total && poll(&p, 1, AT_ONCE_MS) == 1) {
		written = write(host, bytes + sent % len, len - sent % len);
		CHECK(written > 0 || errno == EAGAIN);
		sent += written > 0 ? written : 0;
	}
	printf("# %zu of %zu bytes were taken\n", sent, total);
}

static void check_ping_of_next_host(void)
{
	close(host);
	host = connect_host();
	CHECK_STREQ(ask("\n" PING), RETURN("{}"));
}

/* Questions that nobody reads the answers to, then one that is. */
TEST_TIMEOUT(flood_of_questions_is_survived, 120)
{
	start("");
	CHECK_STREQ(ask(PING), RETURN("{}"));
	pour(PING, strlen(PING), FLOOD * strlen(PING));
	check_ping_of_next_host();
	check_memory(agent, AGENT_MIB);
}

/* All of them are answered to a host that reads. */
TEST_TIMEOUT(every_question_of_a_flood_is_answered, 240)
{
	char bytes[65536], questions[100 * sizeof(PING)] = "";
	size_t heard = 0, wanted = FLOOD * (sizeof(RETURN("{}") "\n") - 1);
	struct pollfd p = {.events = POLLIN};
	pid_t asker;
	ssize_t len;
	int i;

	start("");
	CHECK_STREQ(ask(PING), RETURN("{}"));
	for (i = 0; i < 100; i++)
		strcat(questions, PING);
	asker = fork();
	CHECK(asker >= 0);
	if (!asker) {
		for (i = 0; i < FLOOD / 100; i++)
			say(questions);
		_exit(0);
	}
	p.fd = host;
	while (heard < wanted) {
		CHECK_EQ(poll(&p, 1, PATIENCE_MS), 1);
		len = read(host, bytes, sizeof(bytes));
		CHECK(len > 0);
		heard += len;
	}
	CHECK_EQ(heard, wanted);
	CHECK_STREQ(ask(PING), RETURN("{}"));
	check_memory(agent, AGENT_MIB);
}

TEST_TIMEOUT(line_without_an_end_is_survived, 120)
{
	static char line[65536];

	start("");
	CHECK_STREQ(ask(PING), RETURN("{}"));
	memset(line, 'a', sizeof(line));
	pour(line, sizeof(line), 64 * MIB);
	check_ping_of_next_host();
	check_memory(agent, AGENT_MIB);
}

#define WORK 200 /* freezes and questions */
#define PATHS 1024
#define MONITOR_MIB 6 /* as in kfreeze-monitor.8 */

/* What the agent hands on: as many paths as it takes, none of which is there,
 * and questions about the system. */
TEST_TIMEOUT(monitor_is_small_after_a_flood_of_work, 240)
{
	static char list[PATHS * 32 + 256];
	const char *answer;
	pid_t monitor;
	char *end;
	int i;

	start("");
	freeze();
	CHECK_STREQ(ask(THAW), RETURN("2"));
	end = stpcpy(list, "{\"execute\":\"guest-fsfreeze-freeze-list\","
			   "\"arguments\":{\"mountpoints\":[");
	for (i = 0; i < PATHS; i++)
		end += sprintf(end, "%s\"/none/%d\"", i ? "," : "", i);
	strcpy(end, "]}}\n");
	monitor = find_monitor();
	for (i = 0; i < WORK; i++) {
		CHECK_STREQ(ask(list), RETURN("0"));
		answer = ask(EXECUTE("guest-get-fsinfo"));
		if (strncmp(answer, "{\"return\": [", 12))
			CHECK_STREQ(answer, "{\"return\": [...]}");
	}
	check_memory(monitor, MONITOR_MIB);
	freeze();
	CHECK_STREQ(ask(THAW), RETURN("2"));
	CHECK_EQ(find_monitor(), monitor);
}

/* It is not thawed: the next host finds it, and may thaw. */
TEST(host_leaves_in_the_middle_of_a_freeze)
{
	start("");
	say(FREEZE_A);
	close(host);
	host = connect_host();
	CHECK_STREQ(ask("\n" PING), RETURN("{}"));
	say(THAW);
	hear(PATIENCE_MS);
	CHECK(is_writable(PATIENCE_MS));
	CHECK_STREQ(ask(STATUS), RETURN("\"thawed\""));
	freeze();
	CHECK_STREQ(ask(THAW), RETURN("2"));
}
