// SPDX-License-Identifier: GPL-2.0
/* The monitor beside the agent's own program; here both are in a directory of
 * the test's: a copy of it, and a script. */
/* link: monitor_process log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "config.h"
#include "monitor_process.h"

#define DIRECTORY "KFREEZE_TEST_DIRECTORY"

/* Notes its arguments and how many files it was left, and says so. */
static const char script[] = "#!/bin/sh\n"
			     "cd \"${0%/*}\" || exit\n"
			     "printf '%s\\n' \"$@\" >args\n"
			     "ls /proc/self/fd | wc -l >files\n"
			     "printf hello >&3\n";

static char template[] = "/tmp/kfreeze-monitor-process-XXXXXX";

static void remove_directory(void)
{
	static const char *const names[] = {"self", "kfreeze-monitor", "args",
					    "files"};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", template, names[i]);
		unlink(path);
	}
	rmdir(template);
}

static int make_file(char path[PATH_MAX], const char *name)
{
	int fd;

	snprintf(path, PATH_MAX, "%s/%s", template, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	CHECK(fd >= 0);
	return fd;
}

/* In a child, because the directory is to be removed after it. */
static void run_copy(const char *test)
{
	char copy[PATH_MAX], monitor[PATH_MAX];
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out, status;
	struct stat st;
	pid_t child;

	CHECK(mkdtemp(template) != NULL);
	atexit(remove_directory);
	CHECK_EQ(setenv(DIRECTORY, template, 1), 0);
	out = make_file(copy, "self");
	CHECK_EQ(fstat(in, &st), 0);
	while (sendfile(out, in, NULL, st.st_size) > 0)
		;
	close(out);
	out = make_file(monitor, "kfreeze-monitor");
	CHECK_EQ(write(out, script, strlen(script)), strlen(script));
	close(out);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		/* its KTAP is not ours, nor is what we were left */
		CHECK_EQ(close_range(STDERR_FILENO + 1, ~0U, 0), 0);
		CHECK(freopen("/dev/null", "w", stdout) != NULL);
		execl(copy, copy, test, NULL);
		_exit(127);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static void check_file(const char *name, const char *wanted)
{
	char path[PATH_MAX], text[1024] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv(DIRECTORY), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	CHECK_STREQ(text, wanted);
}

static void check_monitor(const struct config *config, const char *args)
{
	struct pollfd p = {.events = POLLIN};
	char answer[64];

	p.fd = monitor_process_start(config);
	CHECK(p.fd >= 0);
	CHECK(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
	CHECK(fcntl(p.fd, F_GETFL) & O_NONBLOCK);
	CHECK_EQ(poll(&p, 1, 20000), 1);
	CHECK_EQ(recv(p.fd, answer, sizeof(answer), 0), 5);
	check_file("args", args);
	/* 0 to 3, and what ls has opened */
	check_file("files", "5\n");
	/* its end is seen */
	CHECK_EQ(poll(&p, 1, 20000), 1);
	CHECK_EQ(recv(p.fd, answer, sizeof(answer), 0), 0);
	close(p.fd);
}

TEST(monitor_gets_a_socket_and_nothing_else)
{
	const struct config config = {0};

	if (!getenv(DIRECTORY)) {
		run_copy(__func__ + strlen("test_"));
		return;
	}
	check_monitor(&config, "--agent-fd=3\n");
}

TEST(monitor_gets_its_part_of_the_command_line)
{
	static char file[] = "/etc/my.conf", hook[] = "/etc/my hook";
	static char none[] = "";
	struct config config = {
		.verbose = true,
		.private = true,
		.file = file,
		.fsfreeze_hook = hook,
	};

	if (!getenv(DIRECTORY)) {
		run_copy(__func__ + strlen("test_"));
		return;
	}
	check_monitor(&config, "--agent-fd=3\n--verbose\n--private\n"
			       "--config=/etc/my.conf\n"
			       "--fsfreeze-hook=/etc/my hook\n");
	config = (struct config){.fsfreeze_hook = none};
	check_monitor(&config, "--agent-fd=3\n--fsfreeze-hook=/dev/null\n");
}
