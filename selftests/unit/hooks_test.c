// SPDX-License-Identifier: GPL-2.0
/* Running hooks: order, what they get, what is refused, what is told of them. */
#include "hooks_harness.h"

#include "hook_output.h"

TEST(order_is_by_name_the_shipped_last_and_reversed_at_thaw)
{
	struct hooks_settings settings = set_up();

	add_script("a/20-x", "exit 0", 0755);
	add_script("b/10-y", "exit 0", 0755);
	add_script("b/Z", "exit 0", 0755);
	add_script("a/a", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 4);
	check_result(0, "a/20-x", 0);
	check_result(1, "a/a", 0);
	check_result(2, "b/10-y", 0);
	check_result(3, "b/Z", 0);
	CHECK_STREQ(results[0].phase, "freeze");
	thaw("ok");
	CHECK_EQ(nr_results, 4);
	check_result(0, "b/Z", 0);
	check_result(3, "a/20-x", 0);
	CHECK_STREQ(results[0].phase, "thaw");
}

TEST(order_is_by_name_over_all_of_an_administrators_directories)
{
	static const struct hook_directory two[] = {
		{dirs[0], NULL},
		{dirs[1], NULL},
		{NULL, NULL},
	};
	struct hooks_settings settings = set_up();

	settings.directories = two;
	add_script("a/20-x", "exit 0", 0755);
	add_script("b/10-y", "exit 0", 0755);
	add_script("b/20-x", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 3);
	check_result(0, "b/10-y", 0);
	check_result(1, "a/20-x", 0);
	check_result(2, "b/20-x", 0);
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
	add_script("b/1", "echo not here; exit 80", 0755);
	add_script("b/2", "exit 0", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, 0);
	CHECK_EQ(nr_results, 1);
	check_result(0, "b/2", 0);
	thaw("ok");
	CHECK_EQ(nr_results, 1);
	check_result(0, "b/2", 0);
	CHECK(strstr(read_file("log"), "b/2"));
	CHECK(!strstr(read_file("log"), "b/1"));
}

/* curl's has a meaning of its own. */
TEST(status_80_of_an_administrators_hook_is_a_failure)
{
	struct hooks_settings settings = set_up();

	settings.abort_on_failure = true;
	add_script("a/1", "echo not sent; exit 80", 0755);
	start(&settings);
	freeze();
	CHECK_EQ(done_err, -EIO);
	check_result(0, "a/1", 80);
	thaw("aborted");
	CHECK_EQ(nr_results, 1);
	CHECK(strstr(read_file("log"), "not sent"));
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

static void add_directory(const char *name, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	CHECK(!mkdir(path, 0755) && !chmod(path, mode));
}

static void add_link(const char *target, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	CHECK_EQ(symlink(target, path), 0);
}

/* Each directory on the way can have something else put into it. */
TEST(link_through_a_directory_of_others_is_refused)
{
	struct hooks_settings settings = set_up();

	add_directory("open", 0777);
	add_directory("sticky", 01777);
	add_directory("good", 0755);
	add_script("open/x", "exit 0", 0755);
	add_script("sticky/x", "exit 0", 0755);
	add_script("good/x", "exit 0", 0755);
	add_script("good/y", "exit 0", 0755);
	add_link("../open/x", "a/1-file");
	add_link("../good/x", "open/link");
	add_link("../open/link", "a/2-link");
	add_link("../sticky/x", "a/3-sticky");
	add_link("../good/y", "a/4-good");
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 4);
	check_result(0, "a/1-file", -1);
	CHECK(strstr(results[0].line, "refused: its directory /tmp/kfreeze-"));
	CHECK(strstr(results[0].line, "/../open/ is writable by others"));
	check_result(1, "a/2-link", -1);
	check_result(2, "a/3-sticky", 0);
	check_result(3, "a/4-good", 0);
}

TEST(master_script_in_a_directory_of_others_is_refused)
{
	struct hooks_settings settings = set_up();
	char path[128];

	add_directory("open", 0777);
	add_script("open/master", "exit 0", 0755);
	snprintf(path, sizeof(path), "%s/open/master", root);
	settings.script = path;
	start(&settings);
	freeze();
	check_result(0, "open/master", -1);
	CHECK(strstr(results[0].line, "/open/ is writable by others"));
}

TEST(hook_is_looked_at_again_before_each_run)
{
	struct hooks_settings settings = set_up();
	char script[256];

	snprintf(script, sizeof(script), "chmod 777 %s/2", dirs[0]);
	add_script("a/1", script, 0755);
	snprintf(script, sizeof(script), "echo $1 >>%s/ran", root);
	add_script("a/2", script, 0755);
	add_script("a/3", script, 0755);
	start(&settings);
	freeze();
	CHECK_EQ(nr_results, 3);
	check_result(1, "a/2", 126);
	CHECK_STREQ(results[1].line, "refused: writable by others");
	check_result(2, "a/3", 0);
	snprintf(script, sizeof(script), "%s/3", dirs[0]);
	CHECK(!chmod(script, 0757));
	thaw("ok");
	CHECK_EQ(nr_results, 3);
	check_result(0, "a/3", 126);
	CHECK_STREQ(results[0].line, "refused: writable by others");
	CHECK_STREQ(read_file("ran"), "freeze\n");
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

/* The hooks run, and it is told why they are not in the log. */
TEST(log_that_is_no_file_is_not_written)
{
	struct hooks_settings settings = set_up();
	char path[128];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/victim", root);
		CHECK(!(i ? mkfifo(log_path, 0600) : symlink(path, log_path)));
		snprintf(path, sizeof(path), "%s/stderr", root);
		CHECK(freopen(path, "w", stderr));
		add_script("a/1", "echo output", 0755);
		start(&settings);
		freeze();
		thaw("ok");
		check_result(0, "a/1", 0);
		nr_results = 0;
		CHECK(!fflush(stderr));
		CHECK(strstr(read_file("stderr"),
			     "/log: cannot write: not a regular file"));
		snprintf(path, sizeof(path), "%s/victim", root);
		CHECK_EQ(access(path, F_OK), -1);
		CHECK(!unlink(log_path));
	}
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
