// SPDX-License-Identifier: GPL-2.0
/* Running hooks: order, limits, what they get, what is refused. */
/* link: hooks hook_list hook_header hook_process hook_group hook_output */
/* link: hook_environment hook_record hook_log hook_journal log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "hook_list.h"
#include "hook_output.h"
#include "hooks.h"
#include "mounts.h"

#define MAX_RESULTS 32

static char root[] = "/tmp/kfreeze-hooks-XXXXXX";
static char dirs[2][64], log_path[64];
/* the second is the shipped one's place */
static const struct hook_directory directories[] = {
	{dirs[0], NULL},
	{dirs[1], dirs[0]},
	{NULL, NULL},
};
static sd_event *event;

static struct {
	char path[128], phase[8], line[HOOKS_LINE_MAX];
	struct hook_exit exit;
} results[MAX_RESULTS];
static size_t nr_results;
static bool is_done;
static int done_err;
static char done_text[HOOKS_TEXT_MAX];

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(void)
{
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_ran(void *unused, const struct hooks_result *result)
{
	(void)unused;
	CHECK(nr_results < MAX_RESULTS);
	snprintf(results[nr_results].path, sizeof(results->path), "%s",
		 result->path + strlen(root) + 1);
	snprintf(results[nr_results].phase, sizeof(results->phase), "%s",
		 hooks_phase_name(result->thawing));
	memcpy(results[nr_results].line, result->line, sizeof(results->line));
	results[nr_results++].exit = result->exit;
}

static void on_done(void *unused, int err, const char *text)
{
	(void)unused;
	done_err = err;
	snprintf(done_text, sizeof(done_text), "%s", text);
	is_done = true;
}

static struct hooks_settings set_up(void)
{
	CHECK(mkdtemp(root));
	atexit(remove_tree);
	snprintf(dirs[0], sizeof(dirs[0]), "%s/a", root);
	snprintf(dirs[1], sizeof(dirs[1]), "%s/b", root);
	snprintf(log_path, sizeof(log_path), "%s/log", root);
	CHECK(!mkdir(dirs[0], 0755) && !mkdir(dirs[1], 0755));
	return (struct hooks_settings){
		.directories = directories,
		.log_path = log_path,
		.timeout_ms = 20000,
		.budget_ms = 20000,
		.grace_ms = 200,
		.background_ms = 300,
		.ran = on_ran,
		.done = on_done,
	};
}

static void add_script(const char *name, const char *script, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	dprintf(fd, "#!/bin/sh\n%s\n", script);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

static const char *read_file(const char *name)
{
	static char text[1 << 20];
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void start(const struct hooks_settings *settings)
{
	if (!event)
		CHECK(sd_event_new(&event) >= 0);
	hooks_init(event, settings);
}

static void run_phase(void)
{
	for (is_done = false; !is_done;)
		CHECK(sd_event_run(event, UINT64_MAX) >= 0);
}

static void freeze(void)
{
	struct mounts_target targets[] = {
		{.dev = makedev(8, 1), .path = "/"},
		{.dev = makedev(0, 40), .path = "/srv/my\tdata\\x"},
	};
	const struct mounts mounts = {.targets = targets, .nr_targets = 2};
	const struct hooks_cycle cycle = {
		.id = 42,
		.timeout_ms = 60000,
		.mounts = &mounts,
	};

	CHECK(hooks_freeze(&cycle) >= 0);
	run_phase();
}

static void thaw(const char *outcome)
{
	nr_results = 0;
	CHECK(hooks_thaw(outcome) >= 0);
	run_phase();
}

static void check_result(size_t index, const char *path, int exit_code)
{
	CHECK(index < nr_results);
	CHECK_STREQ(results[index].path, path);
	CHECK_EQ(results[index].exit.exit_code, exit_code);
}

TEST(order_is_by_name_over_all_directories_and_reversed_at_thaw)
{
	struct hooks_settings settings = set_up();

	add_script("a/20-x", "exit 0", 0755);
	add_script("b/10-y", "exit 0", 0755);
	add_script("b/Z", "exit 0", 0755);
	add_script("a/a", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 4);
	check_result(0, "b/10-y", 0);
	check_result(1, "a/20-x", 0);
	check_result(2, "b/Z", 0);
	check_result(3, "a/a", 0);
	CHECK_STREQ(results[0].phase, "freeze");
	thaw("ok");
	CHECK_EQ(nr_results, 4);
	check_result(0, "a/a", 0);
	check_result(3, "b/10-y", 0);
	CHECK_STREQ(results[0].phase, "thaw");
}

TEST(no_hooks_is_done_at_once)
{
	struct hooks_settings settings = set_up();

	rmdir(dirs[1]);
	start(&settings);
	done_err = 1;
	freeze();
	CHECK_EQ(done_err, 0);
	CHECK_EQ(nr_results, 0);
	thaw("ok");
	CHECK_EQ(nr_results, 0);
}

/* Also by what is no hook: a link to /dev/null, a file that is not executable. */
TEST(a_shipped_hook_is_replaced_by_its_name)
{
	struct hooks_settings settings = set_up();
	char path[128];

	add_script("b/replaced", "exit 1", 0755);
	add_script("b/switched-off", "exit 2", 0755);
	add_script("b/disabled", "exit 3", 0755);
	add_script("b/shipped", "exit 4", 0755);
	add_script("a/replaced", "exit 5", 0755);
	add_script("a/disabled", "exit 6", 0644);
	snprintf(path, sizeof(path), "%s/switched-off", dirs[0]);
	CHECK_EQ(symlink("/dev/null", path), 0);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 2);
	check_result(0, "a/replaced", 5);
	check_result(1, "b/shipped", 4);
}

TEST(a_hook_that_does_not_apply_is_silent)
{
	struct hooks_settings settings = set_up();

	settings.abort_on_failure = true;
	add_script("a/1", "echo not here; exit 80", 0755);
	add_script("a/2", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, 0);
	CHECK_EQ(nr_results, 1);
	check_result(0, "a/2", 0);
	thaw("ok");
	CHECK_EQ(nr_results, 1);
	check_result(0, "a/2", 0);
	CHECK(strstr(read_file("log"), "a/2"));
	CHECK(!strstr(read_file("log"), "a/1"));
}

/* Rows of the stock script, and editors' files. */
TEST(names_of_the_stock_script_are_skipped)
{
	static const char *const names[] = {
		"a/x~",		"a/x.bak",	   "a/x.orig",
		"a/x.rpmnew",	"a/x.rpmorig",	   "a/x.rpmsave",
		"a/x.sample",	"a/x.dpkg-old",	   "a/x.dpkg-new",
		"a/x.dpkg-tmp", "a/x.dpkg-dist",   "a/x.dpkg-bak",
		"a/.hidden",	"a/x.dpkg-backup", "a/x.dpkg-remove",
	};
	struct hooks_settings settings = set_up();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		add_script(names[i], "exit 0", 0755);
	add_script("a/not-executable", "exit 0", 0644);
	add_script("a/runs", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 1);
	check_result(0, "a/runs", 0);
}

TEST(writable_by_others_is_refused_and_reported)
{
	struct hooks_settings settings = set_up();

	add_script("a/bad", "exit 0", 0775);
	add_script("b/in-bad-directory", "exit 0", 0755);
	CHECK_EQ(chmod(dirs[1], 0777), 0);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 2);
	check_result(0, "b", -1);
	check_result(1, "a/bad", -1);
	CHECK_STREQ(results[1].line, "refused: writable by others");
	thaw("ok");
	CHECK_EQ(nr_results, 0);
}

TEST(foreign_owner_is_refused)
{
	struct hooks_settings settings = set_up();
	char path[128];

	if (geteuid())
		SKIP("needs root");
	add_script("a/foreign", "exit 0", 0755);
	snprintf(path, sizeof(path), "%s/a/foreign", root);
	CHECK_EQ(chown(path, 65534, 65534), 0);
	start(&settings);
	freeze();
	check_result(0, "a/foreign", -1);
	CHECK_STREQ(results[0].line, "refused: not owned by root");
}

TEST(a_directory_that_is_a_link_to_another_counts_once)
{
	struct hooks_settings settings = set_up();

	add_script("a/x", "exit 0", 0755);
	rmdir(dirs[1]);
	CHECK_EQ(symlink(dirs[0], dirs[1]), 0);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 1);
}

TEST(failures_do_not_stop_the_others_by_default)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "echo first; echo 'last words'; exit 3", 0755);
	add_script("a/2", "kill -9 $$", 0755);
	add_script("a/3", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, 0);
	CHECK_EQ(nr_results, 3);
	check_result(0, "a/1", 3);
	CHECK_STREQ(results[0].line, "last words");
	CHECK_EQ(results[1].exit.signal, SIGKILL);
	check_result(1, "a/2", -1);
	thaw("ok");
	CHECK_EQ(nr_results, 3);
}

TEST(policy_abort_stops_at_the_first_failure)
{
	struct hooks_settings settings = set_up();

	settings.abort_on_failure = true;
	add_script("a/1", "exit 0", 0755);
	add_script("a/2", "echo the reason; exit 3", 0755);
	add_script("a/3", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, -EIO);
	CHECK(strstr(done_text, "/a/2: freeze hook failed: status 3: the reason"));
	CHECK_EQ(nr_results, 2);
	/* those that were started get their thaw, also the failed one */
	thaw("aborted");
	CHECK_EQ(nr_results, 2);
	check_result(0, "a/2", 3);
	check_result(1, "a/1", 0);
}

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

TEST(a_hook_may_ask_for_another_policy)
{
	struct hooks_settings settings = set_up();

	settings.abort_on_failure = true;
	add_script("a/1", "# kfreeze: policy=continue\nexit 1", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, 0);
	thaw("ok");
	nr_results = 0;
	settings.abort_on_failure = false;
	add_script("a/2", "# kfreeze: policy=abort\nexit 2", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, -EIO);
	CHECK_EQ(nr_results, 2);
	CHECK(strstr(done_text, "/a/2: freeze hook failed: status 2"));
}

TEST(a_header_that_is_not_understood_is_refused)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "# kfreeze: policy=abrot", 0755);
	start(&settings);
	freeze();
	check_result(0, "a/1", -1);
	CHECK(strstr(results[0].line, "refused: header: 'policy=abrot'"));
	thaw("ok");
	CHECK_EQ(nr_results, 0);
}

TEST(thaw_hooks_run_once)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "exit 0", 0755);
	start(&settings);
	freeze();
	thaw("lost");
	CHECK_EQ(nr_results, 1);
	thaw("ok");
	CHECK_EQ(nr_results, 0);
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

/* Signals 32 and 33 are the C library's own: nobody can set them, and make
 * leaves them ignored to what it starts. */
static unsigned long long ignored_signals(const char *status)
{
	const char *line = strstr(status, "SigIgn:");

	CHECK(line);
	return strtoull(line + strlen("SigIgn:"), NULL, 16) & ~(3ULL << 31);
}

TEST(environment_is_clean)
{
	struct hooks_settings settings = set_up();
	char script[256];

	settings.budget_ms = 60000;
	setenv("SECRET", "x", 1);
	CHECK(dup(STDOUT_FILENO) >= 0); /* without O_CLOEXEC */
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	snprintf(script, sizeof(script),
		 "exec >%s/env-$1; env | sort; umask; pwd; echo \"$#: $*\"\n"
		 "ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status\n"
		 "readlink /proc/self/fd/0",
		 root);
	add_script("a/1", script, 0755);
	start(&settings);
	freeze();
	CHECK(strstr(read_file("env-freeze"), "KFREEZE_ID=42\n"));
	CHECK(strstr(read_file("env-freeze"), "KFREEZE_TIMEOUT_MS=60000\n"));
	CHECK(strstr(read_file("env-freeze"), "KFREEZE_HOOK_TIMEOUT_MS=20000\n"));
	CHECK(strstr(read_file("env-freeze"), "KFREEZE_MOUNTS=8:1 /\n"));
	CHECK(strstr(read_file("env-freeze"), "0:40 /srv/my\\011data\\134x\n"));
	CHECK(strstr(read_file("env-freeze"), "HOME=/root\n"));
	CHECK(strstr(read_file("env-freeze"), "LANG=C\n"));
	CHECK(!strstr(read_file("env-freeze"), "SECRET"));
	CHECK(!strstr(read_file("env-freeze"), "KFREEZE_OUTCOME"));
	CHECK(strstr(read_file("env-freeze"), "\n0022\n/\n1: freeze\n4\n"));
	CHECK_EQ(ignored_signals(read_file("env-freeze")), 0);
	CHECK(strstr(read_file("env-freeze"), "\n/dev/null\n"));
	thaw("lost");
	CHECK(strstr(read_file("env-thaw"), "KFREEZE_OUTCOME=lost\n"));
	CHECK(strstr(read_file("env-thaw"), "1: thaw\n"));
}

TEST(log_has_the_stock_format)
{
	struct hooks_settings settings = set_up();
	char expected[256], date[64];
	time_t now = time(NULL);

	setenv("TZ", "UTC", 1);
	add_script("a/1", "echo output; printf unfinished; exit 7", 0755);
	start(&settings);
	freeze();
	thaw("ok");
	strftime(date, sizeof(date), "%a %b %e ", gmtime(&now));
	CHECK(!strncmp(read_file("log"), date, strlen(date)));
	snprintf(expected, sizeof(expected),
		 ": execute %s/1 freeze\noutput\n"
		 "unfinished\n",
		 dirs[0]);
	CHECK(strstr(read_file("log"), expected));
	snprintf(expected, sizeof(expected), ": %s/1 finished with status=7\n",
		 dirs[0]);
	CHECK(strstr(read_file("log"), expected));
	CHECK(strstr(read_file("log"), " UTC "));
}

TEST(output_without_end_is_bounded)
{
	struct hooks_settings settings = set_up();

	add_script("a/1",
		   "[ $1 = freeze ] || exit 0\n"
		   "i=0; while [ $i -lt 20000 ]; do echo 0123456789; "
		   "i=$((i + 1)); done; echo the end",
		   0755);
	start(&settings);
	freeze();
	check_result(0, "a/1", 0);
	CHECK_STREQ(results[0].line, "the end");
	thaw("ok");
	CHECK(strlen(read_file("log")) < HOOK_OUTPUT_MAX + 1024);
	CHECK(strlen(read_file("log")) > HOOK_OUTPUT_MAX / 2);
}

TEST(control_characters_do_not_reach_the_report)
{
	struct hooks_settings settings = set_up();

	add_script("a/1", "printf 'a\\033[31mb\\001c\\n\\n'", 0755);
	start(&settings);
	freeze();
	CHECK_STREQ(results[0].line, "a [31mb c");
}

TEST(master_script_instead_of_the_directories)
{
	struct hooks_settings settings = set_up();
	char path[128];

	add_script("master", "exit 0", 0755);
	add_script("a/1", "exit 0", 0755);
	snprintf(path, sizeof(path), "%s/master", root);
	settings.script = path;
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 1);
	check_result(0, "master", 0);
	thaw("ok");
	nr_results = 0;
	settings.script = "";
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 0);
}

TEST(missing_script_and_interpreter_are_reported)
{
	struct hooks_settings settings = set_up();
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/a/1", root);
	fd = open(path, O_CREAT | O_WRONLY, 0700);
	CHECK(fd >= 0);
	dprintf(fd, "#!/no/such/interpreter\n");
	close(fd);
	start(&settings);
	freeze();
	check_result(0, "a/1", 127);
	CHECK(strstr(results[0].line, "cannot execute"));
	thaw("ok");
	nr_results = 0;
	snprintf(path, sizeof(path), "%s/no-script", root);
	settings.script = path;
	start(&settings);
	freeze();
	check_result(0, "no-script", -1);
	CHECK_STREQ(results[0].line, "No such file or directory");
}
