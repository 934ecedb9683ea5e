// SPDX-License-Identifier: GPL-2.0
/* Hooks in the life of a cycle. */
/* link: ipc query */
#include "ktap.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */
#define HOOK "/etc/kfreeze/hooks.d/10-test"
#define NOTES SANDBOX "/notes"
#define ALIVE SANDBOX "/alive"

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

static uint32_t application(struct client *client)
{
	struct report_record record;

	CHECK(client_record(client, REPORT_CYCLE, 0, &record));
	return record.cycle.application;
}

TEST(report_has_the_worst_that_hooks_say_of_their_applications)
{
	static const struct {
		const char *more;
		uint32_t application;
	} rows[] = {
		{NULL, REPORT_APPLICATION_NONE}, /* no hook yet */
		{"exit 0", REPORT_APPLICATION_OK},
		{"[ $1 = thaw ]", REPORT_APPLICATION_FAILED},
		{"[ $1 = freeze ]", REPORT_APPLICATION_LOST},
		{"exit 1", REPORT_APPLICATION_LOST},
		{"exit 80", REPORT_APPLICATION_LOST},
	};
	struct client client;
	const char *a;
	size_t i;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		printf("# %s\n", rows[i].more ?: "none");
		if (rows[i].more)
			add_hook(HOOK, rows[i].more);
		CHECK_EQ(freeze(&client, a).err, 0);
		CHECK_EQ(thaw(&client).err, 0);
		CHECK_EQ(application(&client), rows[i].application);
	}
}

/* It waits in the kernel, where no signal reaches it. */
TEST(hook_that_cannot_be_killed_stops_nobody)
{
	struct report_record record;
	struct client client;
	long long begin;
	const char *a, *b;

	SANDBOX_ENTER("[hooks]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	add_hook(HOOK, "[ $1 = thaw ] || echo >" SANDBOX "/b/file");
	CHECK_EQ(sandbox_fifreeze(b), 0);
	client = client_start();
	begin = clock_ms();
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).count, 1);
	CHECK(clock_ms() - begin < CLIENT_PATIENCE_MS);
	CHECK(client_record(&client, REPORT_HOOK, 0, &record));
	CHECK_EQ(record.hook.timed_out, 1);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw ok\n");
	CHECK_EQ(sandbox_fithaw(b), 0);
}

static bool log_is_complete(const char *path)
{
	long long end = clock_ms() + CLIENT_PATIENCE_MS;

	while (!strstr(sandbox_read_file(path), "finished with status=0\n")) {
		if (clock_ms() > end)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

TEST(log_on_a_disk_that_hangs_delays_nobody)
{
	struct client client;
	const char *a, *b;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	add_hook(HOOK, "");
	client = client_start();
	CHECK_EQ(mount(b, "/var/log", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(sandbox_fifreeze(b), 0);
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).count, 1);
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).count, 1);
	CHECK_STREQ(sandbox_read_file(NOTES),
		    "freeze\nthaw ok\nfreeze\nthaw ok\n");
	CHECK_EQ(sandbox_fithaw(b), 0);
	CHECK(log_is_complete(SANDBOX "/b/qga-fsfreeze-hook.log"));
	/* who wrote it may not have closed it yet */
	CHECK_EQ(umount2("/var/log", MNT_DETACH), 0);
}

/* A thaw hook can write to what was frozen. */
TEST(thaw_hook_of_a_lost_freeze_finds_nothing_frozen)
{
	struct report_record record;
	struct client client;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n[hooks]\ntimeout = 5\n");
	a = sandbox_mount("a", NULL);
	add_hook(HOOK, "[ $1 = freeze ] || echo >" SANDBOX "/a/file");
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK_EQ(thaw(&client).err, -ESTALE);
	CHECK(client_record(&client, REPORT_HOOK, 1, &record));
	CHECK_STREQ(record.hook.phase, "thaw");
	CHECK_EQ(record.hook.exit_code, 0);
	CHECK(record.hook.duration_ns < AT_ONCE_MS * 1000000ULL);
}

/* b lies on a, which somebody else has frozen: the kernel does not return from
 * its freeze. The thaw hook is told so, by name, as is the log. */
TEST(thaw_hook_does_not_wait_for_what_is_stuck)
{
	const char *a, *on_a, *other;
	struct client client;
	struct ipc_reply reply;
	char notes[256];
	struct stat st;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", a);
	other = sandbox_mount("c", NULL);
	add_hook(HOOK, "[ $1 = freeze ] || echo \"$KFREEZE_STUCK\" >>" NOTES);
	CHECK(!stat(on_a, &st));
	sandbox_sync(on_a);
	sandbox_sync(a);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	reply = client_answer(&client,
			      client_send_freeze(&client, on_a, other, NULL));
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, "what does not answer stays frozen until"));
	snprintf(notes, sizeof(notes), "freeze\nthaw aborted\n%u:%u %s\n",
		 major(st.st_dev), minor(st.st_dev), on_a);
	CHECK_STREQ(sandbox_read_file(NOTES), notes);
	CHECK(strstr(sandbox_read_file(CLIENT_LOG), "b (/dev/loop") &&
	      strstr(sandbox_read_file(CLIENT_LOG),
		     "stays frozen until the kernel answers"));
	CHECK(sandbox_is_writable(other, AT_ONCE_MS));
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
}

/* A new end of the FIFO, which does not know of the writers it had. */
static int open_fifo(void)
{
	int fd = open(ALIVE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* A FIFO that a hook has open: no writer, no process of it. */
static int make_fifo(void)
{
	CHECK_EQ(mkfifo(ALIVE, 0600), 0);
	return open_fifo();
}

/* What read() says of it: 1 when one has begun, 0 when all have ended. */
static ssize_t read_fifo(int fifo)
{
	struct pollfd pfd = {.fd = fifo, .events = POLLIN};
	char byte;

	CHECK_EQ(poll(&pfd, 1, CLIENT_PATIENCE_MS), 1);
	return read(fifo, &byte, 1);
}

/* As soon as it is there, and only once. Here there are no cgroups for hooks. */
TEST(thaw_hooks_of_a_killed_monitor_are_run_by_the_next_one)
{
	static const char *const rows[] = {
		/* killed while frozen; its hook has left something */
		"[ $1 = thaw ] || setsid sh -c 'printf x; sleep 1000' >" ALIVE
		" &",
		/* in the hook */
		"[ $1 = thaw ] || { printf x; sleep 1000; } >" ALIVE,
	};
	int fifo;
	struct client client;
	const char *a;
	size_t i;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mkfifo(ALIVE, 0600), 0);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		printf("# row %zu\n", i);
		sandbox_write_file(NOTES, "", 0644);
		add_hook(HOOK, rows[i]);
		fifo = open_fifo();
		client = client_start();
		client_send_freeze(&client, a, NULL);
		CHECK(i ? wait_notes("freeze\n")
			: sandbox_wait_frozen(a, CLIENT_PATIENCE_MS));
		CHECK_EQ(read_fifo(fifo), 1);
		CHECK_EQ(kill(client.monitor, SIGKILL), 0);
		CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), SIGKILL);
		CHECK(sandbox_is_writable(a, CLIENT_PATIENCE_MS));
		client = client_start();
		CHECK(wait_notes("freeze\nthaw lost\n"));
		CHECK_EQ(read_fifo(fifo), 0);
		close(fifo);
		close(client.fd);
		CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
		client = client_start();
		close(client.fd);
		CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
		CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw lost\n");
	}
}

/* Then it owes nothing, but what the hook's freeze has left is still there. */
TEST(what_hooks_left_ends_if_the_monitor_is_killed_in_the_last_thaw)
{
	struct client client;
	const char *a;
	int fifo;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	fifo = make_fifo();
	add_hook(HOOK, "[ $1 = thaw ] && exec sleep 5\n"
		       "setsid sh -c 'printf x; sleep 1000' >" ALIVE " &");
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_EQ(read_fifo(fifo), 1);
	client_send(&client, IPC_THAW);
	CHECK(wait_notes("freeze\nthaw ok\n"));
	CHECK_EQ(kill(client.monitor, SIGKILL), 0);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), SIGKILL);
	client = client_start();
	CHECK_EQ(read_fifo(fifo), 0);
	close(client.fd);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
	CHECK_STREQ(sandbox_read_file(NOTES), "freeze\nthaw ok\n");
}
