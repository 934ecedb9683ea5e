// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of a test VM: mount, load modules, run the programs of /tests one by
 * one, report to the second serial port in KTAP, power off.
 */
#include "klog.h"
#include "reset.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REPORT "/dev/ttyS1"
#define MODULES "/modules" /* one path per line, in order */
#define KFREEZE "/lib/modules/kfreeze.ko"
#define TESTS "/tests" /* lines of: seconds program */
#define TESTS_MAX 256
#define INDENT "    " /* of a subtest */
#define LAST "/reboot_test" /* what it leaves, the reboot must cope with */

struct test {
	int timeout_s;
	char program[192];
};

static struct test tests[TESTS_MAX];
static int nr_tests;

/* Without this nothing can be reported: the runner sees a missing plan. */
static _Noreturn void power_off(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	/* Not RB_POWER_OFF, which needs ACPI; QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	power_off();
}

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
	} mounts[] = {
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"tmpfs", "/run"},
		{"tmpfs", "/tmp"},
		{"debugfs", "/sys/kernel/debug"},
		{"cgroup2", "/sys/fs/cgroup"},
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].dir, 0755);
		mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL);
	}
}

static void open_report(void)
{
	struct termios raw;
	int fd = open(REPORT, O_RDWR | O_NOCTTY);

	if (fd < 0)
		power_off();
	tcgetattr(fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	close(fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

static void load_modules(void)
{
	FILE *list = fopen(MODULES, "re");
	char path[256];

	if (!list)
		bail_out(MODULES);
	while (fscanf(list, "%255s", path) == 1) {
		int err = load_module(path);

		/* ENODEV: crc32c-intel without the instruction. */
		if (err && err != -EEXIST && err != -ENODEV)
			printf("# %s: cannot load: %s\n", path, strerror(-err));
	}
	fclose(list);
}

static void read_tests(void)
{
	FILE *list = fopen(TESTS, "re");
	struct test *t = tests;

	if (!list)
		bail_out(TESTS);
	while (t < tests + TESTS_MAX &&
	       fscanf(list, "%d %191s", &t->timeout_s, t->program) == 2)
		t++;
	nr_tests = t - tests;
	fclose(list);
}

static pid_t start(const struct test *t, int out)
{
	char *argv[] = {(char *)t->program, NULL};
	pid_t child = fork();

	if (child)
		return child;
	setsid();
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	chdir("/tmp");
	execv(t->program, argv);
	dprintf(STDERR_FILENO, "# %s: cannot run: %s\n", t->program,
		strerror(errno));
	_exit(127);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Copy what there is, each line indented. */
static void relay(int in)
{
	static bool in_line;
	char buf[4096];
	ssize_t len, i;

	while ((len = read(in, buf, sizeof(buf))) > 0) {
		for (i = 0; i < len; i++) {
			if (!in_line)
				fputs(INDENT, stdout);
			in_line = buf[i] != '\n';
			putchar(buf[i]);
		}
	}
	fflush(stdout);
}

/* Relay the program's output until it ends; false if its time is up. */
static bool follow(pid_t child, int in, int timeout_s)
{
	long long deadline = now_ms() + timeout_s * 1000LL, left;
	struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};
	bool done = false;

	p[0].fd = syscall(SYS_pidfd_open, child, 0);
	p[1].fd = in;
	while (!done && (left = deadline - now_ms()) > 0) {
		if (poll(p, 2, left) < 0 && errno != EINTR)
			break;
		done = p[0].revents & POLLIN;
		if (p[1].revents & POLLIN)
			relay(in);
		else if (p[1].revents)
			p[1].fd = -1; /* closed it and goes on */
	}
	close(p[0].fd);
	return done;
}

static bool is_last(const struct test *t)
{
	const char *slash = strrchr(t->program, '/');

	return slash && strcmp(slash, LAST) == 0;
}

/* Run one program and kill all it leaves; true if it says it succeeded. */
static bool run_program(const struct test *t, int klog)
{
	bool in_time;
	int out[2], status = 0;
	pid_t child;

	if (pipe2(out, O_CLOEXEC))
		bail_out("pipe");
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	child = start(t, out[1]);
	close(out[1]);
	in_time = follow(child, out[0], t->timeout_s);
	if (!in_time) {
		printf("%s# killed after %d s\n", INDENT, t->timeout_s);
		klog_print_blocked_tasks(klog, INDENT);
	}
	if (!is_last(t))
		kill(-1, SIGKILL); /* everything but init */
	relay(out[0]);
	close(out[0]);
	if (!in_time)
		return false;
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s# killed by signal %d\n", INDENT, WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A program is ok if it says so and leaves kernel and machine as they were. */
static bool run_test(const struct test *t, int klog)
{
	int err = load_module(KFREEZE);
	bool ok;

	if (err && err != -ENOENT && err != -EEXIST) {
		printf("%s# %s: cannot load: %s\n", INDENT, KFREEZE,
		       strerror(-err));
		return false;
	}
	ok = run_program(t, klog);
	if (!is_last(t) && reset_machine(INDENT) != 0)
		ok = false;
	return ok;
}

int main(void)
{
	int i, klog, complaints = 0;

	setenv("PATH", "/usr/sbin:/usr/bin", 1);
	mount_all();
	open_report();
	printf("KTAP version 1\n");
	load_modules();
	read_tests();
	klog = klog_open();
	if (klog < 0)
		bail_out("/dev/kmsg");
	klog_skip(klog);
	printf("1..%d\n", nr_tests + 1);
	for (i = 0; i < nr_tests; i++) {
		const char *slash = strrchr(tests[i].program, '/');
		bool ok = run_test(&tests[i], klog);
		int nr = klog_scan(klog, INDENT);

		complaints += nr;
		printf("%s %d %s\n", ok && !nr ? "ok" : "not ok", i + 1,
		       slash ? slash + 1 : tests[i].program);
	}
	printf("%s %d kernel_log_is_clean\n", complaints ? "not ok" : "ok",
	       nr_tests + 1);
	power_off();
}
