// SPDX-License-Identifier: GPL-2.0
/* The administrator's tool. */
/* link: ipc query */
#include "ktap.h"

#include <fcntl.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define CTL "kfreezectl"
#define HOOK "/etc/kfreeze/hooks.d/10-test"
#define HOOK_LOG "/run/hook"

static const char *a;

static void setup(const char *conf)
{
	SANDBOX_ENTER(conf);
	a = sandbox_mount("a", NULL);
	sandbox_write_file(HOOK, "#!/bin/sh\necho $1 >>" HOOK_LOG "\n", 0755);
}

static bool said(const char *text)
{
	return strstr(sandbox_read_file(CLIENT_LOG), text) != NULL;
}

TEST(check_names_backend_targets_and_hooks)
{
	setup("");
	CHECK_EQ(client_run(CTL, "check", NULL), 0);
	CHECK(said(strcmp(client_backend(), "ioctl") ? "backend: kmod"
						     : "backend: ioctl"));
	CHECK(said("level 0: " SANDBOX "/a (/dev/loop"));
	CHECK(said("not frozen: /run (tmpfs): no block device"));
	CHECK(said("  " HOOK "\n"));
	CHECK(!said("problem"));
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "");
}

TEST(check_tells_a_problem_and_its_remedy)
{
	setup("");
	sandbox_write_file(HOOK, "#!/bin/sh\n", 0777);
	CHECK_EQ(client_run(CTL, "check", NULL), 1);
	CHECK(said("problem: " HOOK ": refused: "));
	CHECK(said("remedy: "));
}

TEST(rehearse_freezes_with_hooks_and_tells_times)
{
	setup("");
	CHECK_EQ(client_run(CTL, "rehearse", NULL), 0);
	CHECK(said(" filesystems were frozen and thawed"));
	CHECK(said(SANDBOX "/a: flush "));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "freeze\nthaw\n");
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

/* A write blocks while the command runs, and its exit status is ours. */
TEST(run_freezes_while_the_command_runs)
{
	setup("");
	CHECK_EQ(client_run(CTL, "run", "--", "/bin/sh", "-c",
			    "(echo >" SANDBOX "/a/x) & "
			    "until grep -q percpu_rwsem /proc/$!/stack; do :; done; "
			    "exit 7",
			    NULL),
		 7);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_STREQ(sandbox_read_file(HOOK_LOG), "freeze\nthaw\n");
}

TEST(run_that_outlives_the_freeze_fails)
{
	setup("[general]\ntimeout = 1\n");
	CHECK_EQ(client_run(CTL, "run", "/bin/sh", "-c",
			    "echo >" SANDBOX "/a/x", NULL),
		 1);
	CHECK(said("fsfreeze is limited"));
}

TEST(thaw_ends_the_freeze_of_others_of_ours)
{
	struct client client;
	struct ipc_reply reply;

	setup("");
	client = client_start();
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, NULL)).count,
		 1);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(client_run(CTL, "thaw", NULL), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(client_wait_state(&client, IPC_LOST, AT_ONCE_MS));
	reply = client_answer(&client, client_send(&client, IPC_THAW));
	CHECK_EQ(reply.err, -ESTALE);
	CHECK_EQ(client_run(CTL, "thaw", NULL), 0);
}

TEST(unknown_commands_are_refused)
{
	setup("");
	CHECK_EQ(client_run(CTL, NULL), 1);
	CHECK_EQ(client_run(CTL, "melt", NULL), 1);
	CHECK_EQ(client_run(CTL, "run", NULL), 1);
	CHECK_EQ(client_run(CTL, "--help", NULL), 0);
	CHECK(said("rehearse"));
}
