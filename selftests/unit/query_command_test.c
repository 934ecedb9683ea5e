// SPDX-License-Identifier: GPL-2.0
/* Programs that succeed, fail, talk, die and are not there. */
/* link: query_command query_child query */
#include "query_harness.h"

#include "query_command.h"

static int run(const char *script)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};

	*child.text = '\0';
	return query_command_run(&child, argv, "make tea");
}

TEST(success_is_silent)
{
	CHECK_EQ(run("echo hello"), 0);
	CHECK_STREQ(child.text, "");
}

TEST(failure_with_and_without_words)
{
	CHECK_EQ(run("exit 3"), -EIO);
	CHECK_STREQ(child.text,
		    "child process has failed to make tea: exit status 3");
	CHECK_EQ(run("echo no; echo leaves >&2; exit 1"), -EIO);
	CHECK_STREQ(child.text,
		    "child process has failed to make tea: no\nleaves");
	CHECK_EQ(run("kill -9 $$"), -EIO);
	CHECK_STREQ(child.text, "child process has terminated abnormally");
}

TEST(endless_words_are_cut)
{
	CHECK_EQ(run("head -c 100000 /dev/zero | tr '\\0' x; exit 1"), -EIO);
	CHECK(strlen(child.text) < 400);
}

/* What it leaves behind may hold the output open for as long as it likes. */
TEST(background_is_not_waited_for)
{
	CHECK_EQ(run("sleep 1000 & echo $! >&2; exit 1"), -EIO);
	CHECK_EQ(kill(atoi(strrchr(child.text, ' ')), SIGKILL), 0);
}

TEST(nothing_is_inherited)
{
	CHECK_EQ(run("test -z \"$HOME\" && test $(ls /proc/self/fd | wc -l) -eq 4 "
		     "&& test \"$PWD\" = / && ! read -r line"),
		 0);
}

TEST(missing_program)
{
	static const char *const argv[] = {"/nonexistent", "x", NULL};

	CHECK_EQ(query_command_run(&child, argv, "make tea"), -EIO);
	CHECK_STREQ(child.text,
		    "child process has failed to make tea: failed to "
		    "exec '/nonexistent': No such file or directory");
}
