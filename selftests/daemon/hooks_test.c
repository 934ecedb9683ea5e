// SPDX-License-Identifier: GPL-2.0
/* Hooks in the life of a cycle. */
/* link: ipc query */
#include "ktap.h"

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define HOOK "/etc/kfreeze/hooks.d/10-test"
#define NOTES SANDBOX "/notes"

/* Notes "freeze" or "thaw OUTCOME", then runs @more. */
static void add_hook(const char *path, const char *more)
{
	char script[512];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\necho $1 $KFREEZE_OUTCOME >>" NOTES "\n%s\n", more);
	sandbox_write_file(path, script, 0755);
}

static struct ipc_reply freeze(struct client *client, const char *path)
{
	return client_answer(client, client_send_freeze(client, path, NULL));
}

static struct ipc_reply thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

static bool wait_notes(const char *notes)
{
	long long end = clock_ms() + CLIENT_PATIENCE_MS;

	while (strcmp(sandbox_read_file(NOTES), notes)) {
		if (clock_ms() > end)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

TEST(freeze_and_thaw_run_the_hooks)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "");
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\n");
	CHECK_EQ(thaw(&client).err, 0);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw ok\n");
	CHECK_EQ(thaw(&client).err, 0);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw ok\n");
}

TEST(thaw_during_the_hooks_aborts)
{
	struct client client;
	struct ipc_reply reply;
	uint32_t freeze_id, thaw_id;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || sleep 1000");
	client = client_start();
	freeze_id = client_send_freeze(&client, a, NULL);
	CHECK(wait_notes("freeze\n"));
	thaw_id = client_send(&client, IPC_THAW);
	reply = client_answer(&client, freeze_id);
	CHECK_EQ(reply.err, -ECANCELED);
	CHECK_STREQ(reply.text, "freeze was aborted by guest-fsfreeze-thaw");
	reply = client_answer(&client, thaw_id);
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 0);
	CHECK_EQ(reply.state, IPC_THAWED);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw aborted\n");
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

TEST(failed_freeze_thaws_the_hooks)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "");
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	if (freeze(&client, a).err == 0)
		SKIP("this kernel lets freezes nest");
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw aborted\n");
	CHECK_EQ(sandbox_fithaw(a), 0);
}

TEST(lost_freeze_thaws_the_hooks_at_once)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "");
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK(wait_notes("freeze\nthaw lost\n"));
	CHECK_EQ(thaw(&client).err, -ESTALE);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw lost\n");
}

TEST(death_of_the_agent_during_the_hooks_thaws_them)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || sleep 1000");
	client = client_start();
	client_send_freeze(&client, a, NULL);
	CHECK(wait_notes("freeze\n"));
	close(client.fd);
	CHECK(wait_notes("freeze\nthaw lost\n"));
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

TEST(hook_that_hangs_does_not_stop_the_freeze)
{
	struct report_record record;
	struct client client;
	const char *a;

	SANDBOX_ENTER("[hooks]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || sleep 1000");
	client = client_start();
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).err, 0);
	CHECK(client_record(&client, REPORT_HOOK, 0, &record));
	CHECK_STREQ(record.hook.path, HOOK);
	CHECK_STREQ(record.hook.phase, "freeze");
	CHECK_EQ(record.hook.timed_out, 1);
	CHECK(client_record(&client, REPORT_HOOK, 1, &record));
	CHECK_STREQ(record.hook.phase, "thaw");
	CHECK_EQ(record.hook.exit_code, 0);
}

TEST(policy_abort_fails_the_freeze_by_name)
{
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("[hooks]\npolicy = abort\n");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || exit 3");
	client = client_start();
	reply = freeze(&client, a);
	CHECK_EQ(reply.err, -EIO);
	CHECK(strstr(reply.text, HOOK ": freeze hook failed: status 3"));
	CHECK_EQ(reply.state, IPC_THAWED);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw aborted\n");
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

/* What a hook mounts is frozen, what it unmounts is not missed. */
TEST(mounts_are_read_after_the_hooks)
{
	struct client client;
	struct ipc_reply reply;
	const char *a, *b;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || umount " SANDBOX "/b");
	client = client_start();
	reply = client_answer(&client, client_send_freeze(&client, a, b, NULL));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.count, 1);
	CHECK_EQ(thaw(&client).count, 1);
}

/* A freeze asked for while the thaw hooks of a lost one still run. */
TEST(freeze_waits_for_the_thaw_hooks_of_a_lost_one)
{
	struct client client;
	uint32_t id;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1$KFREEZE_OUTCOME != thawlost ] || "
		       "while [ ! -e " SANDBOX "/go ]; do sleep 0.05; done");
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(wait_notes("freeze\nthaw lost\n"));
	id = client_send_freeze(&client, a, NULL);
	client_answer(&client, client_send(&client, IPC_STATUS));
	CHECK_EQ(client.state, IPC_LOST);
	sandbox_write_file(SANDBOX "/go", "", 0644);
	CHECK_EQ(client_answer(&client, id).count, 1);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw lost\nfreeze\n");
	CHECK_EQ(thaw(&client).count, 1);
}
