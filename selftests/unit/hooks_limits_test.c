// SPDX-License-Identifier: GPL-2.0
/* Time limits of hooks, what they leave behind, and hooks side by side. */
#include "hooks_harness.h"

#include <time.h>

TEST(a_hook_that_hangs_is_terminated)
{
	struct hooks_settings settings = set_up();

	settings.timeout_ms = 300;
	add_script("a/1", "[ $1 = thaw ] || sleep 1000", 0755);
	add_script("a/2", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 2);
	CHECK(results[0].exit.timed_out);
	CHECK_EQ(results[0].exit.signal, SIGTERM);
	CHECK(results[0].exit.duration_ns >= 300000000);
	CHECK(results[0].exit.duration_ns < 5000000000);
	check_result(1, "a/2", 0);
	thaw("ok");
	CHECK(strstr(read_file("log"), "/a/1 timed out after 0.3 s, killed\n"));
}

/* Not our child: it may be there as a zombie. */
static bool has_ended(pid_t pid)
{
	struct pollfd fd = {.events = POLLIN};

	CHECK(pid > 0);
	fd.fd = syscall(SYS_pidfd_open, pid, 0);
	return fd.fd < 0 ? errno == ESRCH : poll(&fd, 1, 10000) == 1;
}

TEST(a_hook_that_ignores_sigterm_is_killed_with_its_group)
{
	struct hooks_settings settings = set_up();

	settings.timeout_ms = 300;
	add_script("a/1", "trap '' TERM; sleep 1000 & echo $!; sleep 1000", 0755);
	start(&settings);
	freeze();
	CHECK(results[0].exit.timed_out);
	CHECK_EQ(results[0].exit.signal, SIGKILL);
	CHECK(has_ended(atoi(results[0].line)));
}

TEST(budget_for_all_hooks)
{
	struct hooks_settings settings = set_up();

	settings.budget_ms = 300;
	add_script("a/1", "[ $1 = thaw ] || sleep 1000", 0755);
	add_script("a/2", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, 0);
	CHECK_EQ(nr_results, 2);
	CHECK(results[0].exit.timed_out);
	check_result(1, "a/2", -1);
	CHECK_STREQ(results[1].line, "the time for all hooks was used up");
	thaw("ok");
	CHECK_EQ(nr_results, 1);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* A lock holder lives on until the thaw, and goes on writing. */
TEST(background_process_neither_delays_nor_dies)
{
	struct hooks_settings settings = set_up();
	uint64_t begin = now_ms();
	char script[256];

	snprintf(script, sizeof(script),
		 "cd %s\n"
		 "if [ $1 = freeze ]; then\n"
		 "  mkfifo fifo done\n"
		 "  { read line <fifo; echo held until $line; echo >done; } &\n"
		 "else echo thaw >fifo; read line <done; fi",
		 root);
	add_script("a/1", script, 0755);
	start(&settings);
	freeze();
	check_result(0, "a/1", 0);
	CHECK(now_ms() - begin < 10000);
	thaw("ok");
	check_result(0, "a/1", 0);
	CHECK(strstr(read_file("log"), "held until thaw\n"));
}

TEST(background_process_that_stays_is_ended_after_its_thaw)
{
	struct hooks_settings settings = set_up();
	pid_t pid;

	add_script("a/1",
		   "[ $1 = thaw ] || { trap '' TERM; sleep 1000 & echo $!; }",
		   0755);
	start(&settings);
	freeze();
	pid = atoi(results[0].line);
	CHECK_EQ(kill(pid, 0), 0);
	thaw("ok");
	check_result(0, "a/1", 0);
	CHECK(has_ended(pid));
}

/* Each waits for the other. */
TEST(parallel_hooks_run_side_by_side)
{
	struct hooks_settings settings = set_up();
	char script[256];

	snprintf(script, sizeof(script),
		 "# kfreeze: parallel\ncd %s; echo >$1.a; read line <$1.b", root);
	add_script("a/1", script, 0755);
	snprintf(script, sizeof(script),
		 "# kfreeze: parallel\ncd %s; read line <$1.a; echo >$1.b", root);
	add_script("a/2", script, 0755);
	CHECK_EQ(chdir(root), 0);
	CHECK(!mkfifo("freeze.a", 0600) && !mkfifo("freeze.b", 0600));
	CHECK(!mkfifo("thaw.a", 0600) && !mkfifo("thaw.b", 0600));
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 2);
	CHECK(!results[0].exit.exit_code && !results[1].exit.exit_code);
	thaw("ok");
	CHECK_EQ(nr_results, 2);
	CHECK(!results[0].exit.exit_code && !results[1].exit.exit_code);
}

TEST(other_hooks_run_alone)
{
	static const char *const names[] = {"a/1", "a/2", "a/3", "a/4"};
	struct hooks_settings settings = set_up();
	char script[256];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(script, sizeof(script),
			 "%s\necho $1 %s >>%s/notes; sleep 0.1; "
			 "echo end >>%s/notes",
			 i == 0 || i == 3 ? "# kfreeze: parallel" : "",
			 names[i] + 2, root, root);
		add_script(names[i], script, 0755);
	}
	start(&settings);
	freeze();
	thaw("ok");
	CHECK_STREQ(read_file("notes"),
		    "freeze 1\nend\nfreeze 2\nend\nfreeze 3\nend\nfreeze 4\nend\n"
		    "thaw 4\nend\nthaw 3\nend\nthaw 2\nend\nthaw 1\nend\n");
}

TEST(a_hook_may_ask_for_another_limit)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "# kfreeze: timeout=1\n[ $1 = thaw ] || sleep 1000",
		   0755);
	start(&settings);
	freeze();
	CHECK(results[0].exit.timed_out);
	CHECK_EQ(results[0].exit.limit_ms, 1000);
}

TEST(a_limit_of_its_own_comes_on_top_of_the_budget)
{
	struct hooks_settings settings = set_up();

	settings.budget_ms = 200;
	add_script("a/1",
		   "# kfreeze: timeout=10\nsleep 0.5; echo $KFREEZE_HOOK_TIMEOUT_MS",
		   0755);
	start(&settings);
	freeze();
	check_result(0, "a/1", 0);
	CHECK_STREQ(results[0].line, "10000");
}

TEST(stop_ends_the_running_hook_and_starts_no_more)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "[ $1 = thaw ] || sleep 1000", 0755);
	add_script("a/2", "exit 0", 0755);
	start(&settings);
	CHECK(hooks_freeze(&(struct hooks_cycle){.mounts = &(struct mounts){0}}) >=
	      0);
	hooks_stop();
	run_phase();
	CHECK_EQ(done_err, -ECANCELED);
	CHECK_EQ(nr_results, 1);
	CHECK_EQ(results[0].exit.signal, SIGTERM);
	thaw("aborted");
	CHECK_EQ(nr_results, 1);
}
