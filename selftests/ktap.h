// SPDX-License-Identifier: GPL-2.0
/*
 * A test program is a list of TEST()s; main() is here. Each test runs in a
 * process of its own, in its own session, with a time limit; the result is
 * KTAP version 1. With arguments, only the tests named by them run.
 */
#ifndef KTAP_H
#define KTAP_H

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap_stacks.h"

#define KTAP_DEFAULT_TIMEOUT_S 30
#define KTAP_SKIP_STATUS 4
#define KTAP_REASON_SIZE 256

struct ktap_test {
	const char *name;
	void (*run)(void);
	int timeout_s;
	struct ktap_test *next;
};

/*
 * Both optional, both in the parent: before and after every test, also after
 * one that crashed or was killed. Nothing a test does survives its teardown.
 */
void ktap_setup(void) __attribute__((weak));
void ktap_teardown(void) __attribute__((weak));

static struct ktap_test *ktap_tests;
static struct ktap_test **ktap_tail = &ktap_tests;
static char *ktap_reason; /* shared memory: why the test skips */

/* A test that may take longer than the default is TEST_TIMEOUT(name, s). */
#define TEST(name) TEST_TIMEOUT(name, KTAP_DEFAULT_TIMEOUT_S)
#define TEST_TIMEOUT(test, seconds)                                    \
	static void test_##test(void);                                 \
	__attribute__((constructor)) static void ktap_add_##test(void) \
	{                                                              \
		static struct ktap_test t = {                          \
			.name = #test,                                 \
			.run = test_##test,                            \
			.timeout_s = (seconds),                        \
		};                                                     \
		*ktap_tail = &t;                                       \
		ktap_tail = &t.next;                                   \
	}                                                              \
	static void test_##test(void)

#define KTAP_SAY(fmt, ...) \
	printf("# %s:%d: " fmt "\n", __FILE__, __LINE__, ##__VA_ARGS__)

/* The first failed check ends the test. */
#define CHECK(expr)                                                \
	do {                                                       \
		if (!(expr)) {                                     \
			KTAP_SAY("%s is false (errno: %s)", #expr, \
				 strerror(errno));                 \
			exit(EXIT_FAILURE);                        \
		}                                                  \
	} while (0)

/* For integers, pointers excluded; each side is evaluated once. */
#define CHECK_EQ(a, b)                                                         \
	do {                                                                   \
		long long ktap_a = (a), ktap_b = (b);                          \
		if (ktap_a != ktap_b) {                                        \
			KTAP_SAY("%s == %s: %lld is not %lld", #a, #b, ktap_a, \
				 ktap_b);                                      \
			exit(EXIT_FAILURE);                                    \
		}                                                              \
	} while (0)

#define CHECK_STREQ(a, b)                                                  \
	do {                                                               \
		const char *ktap_a = (a), *ktap_b = (b);                   \
		if (!ktap_a || !ktap_b || strcmp(ktap_a, ktap_b)) {        \
			KTAP_SAY("%s == %s: \"%s\" is not \"%s\"", #a, #b, \
				 ktap_a ? ktap_a : "(null)",               \
				 ktap_b ? ktap_b : "(null)");              \
			exit(EXIT_FAILURE);                                \
		}                                                          \
	} while (0)

/* Only for what the kernel or the caller's rights lack. */
#define SKIP(reason) ktap_skip(reason)

static inline _Noreturn void ktap_skip(const char *reason)
{
	snprintf(ktap_reason, KTAP_REASON_SIZE, "%s", reason);
	exit(KTAP_SKIP_STATUS);
}

/* On a machine known to be slow, ktap_slow in the environment says how much. */
static inline int ktap_timeout_s(const struct ktap_test *t)
{
	const char *slow = getenv("ktap_slow");

	return t->timeout_s * (slow ? atoi(slow) : 1);
}

/* In the child. It must not outlive a parent that was killed. */
static inline _Noreturn void ktap_child(const struct ktap_test *t, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	setsid();
	t->run();
	exit(EXIT_SUCCESS);
}

/* True if it ends in time. valgrind does not know pidfd_open(). */
static inline bool ktap_ends_in_valgrind(pid_t child, int timeout_s)
{
	siginfo_t info = {0};
	long left;

	for (left = timeout_s * 100L; left && !info.si_pid; left--) {
		poll(NULL, 0, 10);
		waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	return info.si_pid == child;
}

static inline bool ktap_ends(pid_t child, int timeout_s)
{
	struct pollfd p = {.events = POLLIN};
	int done;

	p.fd = syscall(SYS_pidfd_open, child, 0);
	if (p.fd < 0 && errno == ENOSYS)
		return ktap_ends_in_valgrind(child, timeout_s);
	if (p.fd < 0) {
		perror("pidfd_open");
		exit(EXIT_FAILURE);
	}
	done = poll(&p, 1, timeout_s * 1000);
	close(p.fd);
	return done != 0;
}

/* Wait for the child and kill its session; true if its time was up. */
static inline bool ktap_wait(pid_t child, int timeout_s)
{
	bool ended = ktap_ends(child, timeout_s);

	if (!ended)
		ktap_print_stacks(child);
	kill(-child, SIGKILL);
	kill(child, SIGKILL);
	return !ended;
}

static inline bool ktap_report(const struct ktap_test *t, int nr, int status,
			       bool timed_out)
{
	if (timed_out)
		printf("# killed after %d s\n", ktap_timeout_s(t));
	else if (WIFSIGNALED(status))
		printf("# killed by signal %d (%s)\n", WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
	if (!timed_out && WIFEXITED(status)) {
		if (WEXITSTATUS(status) == EXIT_SUCCESS) {
			printf("ok %d %s\n", nr, t->name);
			return true;
		}
		if (WEXITSTATUS(status) == KTAP_SKIP_STATUS) {
			printf("ok %d %s # SKIP %s\n", nr, t->name, ktap_reason);
			return true;
		}
	}
	printf("not ok %d %s\n", nr, t->name);
	return false;
}

static inline bool ktap_run(const struct ktap_test *t, int nr)
{
	bool timed_out;
	pid_t child, parent = getpid();
	int status;

	if (ktap_setup)
		ktap_setup();
	child = fork();
	if (child == 0)
		ktap_child(t, parent);
	if (child < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	timed_out = ktap_wait(child, ktap_timeout_s(t));
	/* A writer on a frozen filesystem can be reaped only once it thaws. */
	if (ktap_teardown)
		ktap_teardown();
	waitpid(child, &status, 0);
	return ktap_report(t, nr, status, timed_out);
}

static inline bool ktap_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	const struct ktap_test *t;
	int planned = 0, failed = 0, nr = 0;

	(void)argc;
	ktap_reason = mmap(NULL, KTAP_REASON_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ktap_reason == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (t = ktap_tests; t; t = t->next)
		planned += ktap_wanted(t->name, argv + 1);
	printf("KTAP version 1\n1..%d\n", planned);
	for (t = ktap_tests; t; t = t->next) {
		if (ktap_wanted(t->name, argv + 1))
			failed += !ktap_run(t, ++nr);
	}
	return failed || !planned ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* KTAP_H */
