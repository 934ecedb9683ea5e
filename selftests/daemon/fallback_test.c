// SPDX-License-Identifier: GPL-2.0
/* The ioctl backend's processes: whichever dies, nothing stays frozen. */
/* link: ipc query */
#include "ktap.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

#include "client.h"
#include "pair.h"
#include "sandbox.h"

static void check_thawed_and_lost(struct client *client)
{
	struct ipc_reply reply;

	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
	CHECK(client_wait_state(client, IPC_LOST, PAIR_AT_ONCE_MS));
	CHECK(strstr(client->text, "a process of the freezer died"));
	reply = pair_thaw(client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, "fsfreeze is limited"));
	/* and it goes on working */
	CHECK_EQ(pair_freeze_again(client).count, 2);
	CHECK_EQ(pair_thaw(client).count, 2);
}

TEST(freezer_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	pair_kill(&client, PAIR_FREEZER);
	check_thawed_and_lost(&client);
}

TEST(guard_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	pair_kill(&client, PAIR_GUARD);
	check_thawed_and_lost(&client);
}

TEST(freezer_and_guard_killed)
{
	struct client client;
	pid_t freezer, guard;

	SANDBOX_ENTER("");
	client = pair_freeze();
	freezer = client_find_child(&client, PAIR_FREEZER);
	guard = client_find_child(&client, PAIR_GUARD);
	CHECK(freezer > 0 && guard > 0);
	kill(guard, SIGKILL);
	kill(freezer, SIGKILL);
	check_thawed_and_lost(&client);
}

static void check_thawed_without_monitor(struct client *client)
{
	CHECK_EQ(client_wait_exit(client, CLIENT_PATIENCE_MS), SIGKILL);
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

TEST(monitor_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

TEST(monitor_and_freezer_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	pair_kill(&client, PAIR_FREEZER);
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

TEST(monitor_and_guard_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	pair_kill(&client, PAIR_GUARD);
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

TEST(foreign_freeze_fails_the_whole_set)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	client = pair_freeze();
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK_EQ(sandbox_fifreeze(pair_b), 0);
	reply = pair_freeze_again(&client);
	CHECK_EQ(reply.err, -EBUSY);
	CHECK(strstr(reply.text, pair_b));
	CHECK(strstr(reply.text, "somebody else has frozen it"));
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_frozen(pair_b));
	CHECK_EQ(sandbox_fithaw(pair_b), 0);
}

TEST(foreign_freeze_is_accepted_and_left)
{
	struct client client;

	SANDBOX_ENTER("foreign-freeze = accept\n");
	client = pair_freeze();
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK_EQ(sandbox_fifreeze(pair_b), 0);
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_frozen(pair_b));
	CHECK_EQ(sandbox_fithaw(pair_b), 0);
}

TEST(accepted_freeze_that_did_not_last_is_lost)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("foreign-freeze = accept\n");
	client = pair_freeze();
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK_EQ(sandbox_fifreeze(pair_b), 0);
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	CHECK_EQ(sandbox_fithaw(pair_b), 0);
	reply = pair_thaw(&client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, pair_b));
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

/* The others' death is not his. */
TEST(accepted_freeze_is_left_by_the_guard)
{
	struct client client;

	SANDBOX_ENTER("foreign-freeze = accept\n");
	client = pair_freeze();
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK_EQ(sandbox_fifreeze(pair_b), 0);
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	pair_kill(&client, PAIR_FREEZER);
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(client_wait_state(&client, IPC_LOST, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_frozen(pair_b));
	CHECK_EQ(sandbox_fithaw(pair_b), 0);
}

static void check_status(const char *path, const char *line)
{
	const char *text = sandbox_read_file(path);

	if (strstr(text, line))
		return;
	KTAP_SAY("%s lacks: %s", path, line + 1);
	exit(EXIT_FAILURE);
}

/* All its threads; returns their number. */
static int check_confined(const struct client *client, const char *name)
{
	char path[300];
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task",
		 client_find_child(client, name));
	dir = opendir(path);
	CHECK(dir);
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/status", entry->d_name);
		check_status(path, "\nCapInh:\t0000000000000000\n");
		check_status(path, "\nCapPrm:\t0000000000200004\n");
		check_status(path, "\nCapEff:\t0000000000200004\n");
		check_status(path, "\nCapAmb:\t0000000000000000\n");
		check_status(path, "\nNoNewPrivs:\t1\n");
		check_status(path, "\nSeccomp:\t2\n");
		CHECK(!strstr(sandbox_read_file(path), "\nVmLck:\t       0 kB\n"));
		nr++;
	}
	closedir(dir);
	return nr;
}

/* CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, and calls that need no more. */
TEST(freezer_and_guard_are_confined)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	CHECK_EQ(check_confined(&client, PAIR_FREEZER), 3);
	CHECK_EQ(check_confined(&client, PAIR_GUARD), 3);
	CHECK_EQ(pair_thaw(&client).count, 2);
}

/* What a terminal or a careless admin sends. */
TEST(other_signals_do_not_end_the_freezer)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	kill(client_find_child(&client, PAIR_FREEZER), SIGTERM);
	kill(client_find_child(&client, PAIR_FREEZER), SIGINT);
	kill(client_find_child(&client, PAIR_GUARD), SIGHUP);
	CHECK(sandbox_is_frozen(pair_a));
	CHECK_EQ(pair_thaw(&client).count, 2);
}

TEST(umount_while_frozen_does_not_keep_it_frozen)
{
	struct client client;
	struct writer writer;

	SANDBOX_ENTER("");
	client = pair_freeze();
	writer = writer_start(pair_a);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(sandbox_umount_lazily(pair_a), 0);
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK(writer_ends(&writer, PAIR_AT_ONCE_MS));
}

TEST(grace_periods_are_expedited_only_while_freezing)
{
	struct client client;

	SANDBOX_ENTER("");
	if (pair_is_expedited())
		SKIP("this system has expedited grace periods on");
	client = pair_freeze();
	CHECK(!pair_is_expedited());
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK(!pair_is_expedited());
}

/* What else is frozen is thawed at the deadline, and the stuck one whenever its
 * freeze returns. */
TEST(stuck_freeze_does_not_delay_the_others)
{
	struct client client;
	struct ipc_reply reply;
	long long start;
	uint32_t id;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	start = clock_ms();
	id = pair_get_stuck(&client);
	CHECK(sandbox_is_writable(pair_other, 1000 + PAIR_AT_ONCE_MS));
	reply = client_answer(&client, id);
	CHECK(clock_ms() - start >= 1000);
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, pair_b));
	CHECK(strstr(reply.text, "): freeze: not done after 1 s; "));
	/* a new cycle without it works meanwhile */
	id = client_send_freeze(&client, pair_other, NULL);
	CHECK_EQ(client_answer(&client, id).count, 1);
	CHECK_EQ(pair_thaw(&client).count, 1);
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

/* The freezer is killed while one of its threads cannot die. */
TEST(freezer_killed_while_stuck)
{
	bool was_expedited = pair_is_expedited();
	struct client client;
	uint32_t id;

	SANDBOX_ENTER("");
	id = pair_get_stuck(&client);
	CHECK(pair_is_expedited());
	pair_kill(&client, PAIR_FREEZER);
	CHECK(sandbox_is_writable(pair_other, PAIR_AT_ONCE_MS));
	CHECK(was_expedited || !pair_is_expedited());
	CHECK(client_answer(&client, id).err < 0);
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

/* The flush cannot end, and so nothing is frozen. */
TEST(stuck_flush_freezes_nothing)
{
	const char *other, *on_a;
	struct client client;
	struct ipc_reply reply;

	pair_need_ioctl();
	SANDBOX_ENTER("[general]\nflush-timeout = 1\n");
	pair_a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", pair_a);
	other = sandbox_mount("c", NULL);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(pair_a), 0);
	sandbox_write_file(SANDBOX "/b/dirty", "dirty", 0644);
	reply = client_answer(&client,
			      client_send_freeze(&client, on_a, other, NULL));
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, on_a));
	CHECK(strstr(reply.text, "): flush: not done after 1 s; nothing was"));
	CHECK(sandbox_is_writable(other, PAIR_AT_ONCE_MS));
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(on_a, PAIR_AT_ONCE_MS));
}

/* Where the fallback is told of, so are the three ways in which it is weaker. */
static void check_weaker(const char *text)
{
	static const char *const ways[] = {
		"a thaw by somebody else is noticed only at the end",
		"other mount namespaces are found by /proc only",
		"such as vfat, is left out",
	};
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		CHECK(strstr(text, ways[i]));
}

/* What a program says is all of the log. */
static void check_said_weaker(const char *mark)
{
	const char *said = strstr(sandbox_read_file(CLIENT_LOG), mark);

	CHECK(said != NULL);
	check_weaker(said);
	sandbox_write_file(CLIENT_LOG, "", 0600);
}

TEST(weaker_in_three_ways_wherever_it_is_told)
{
	struct report_record record;
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	check_said_weaker("freezing with the ioctl backend: ");
	CHECK(client_record(&client, REPORT_CYCLE, 0, &record));
	check_weaker(record.cycle.weaker);
	CHECK_EQ(client_run("kfreezectl", "status", NULL), 0);
	check_said_weaker("backend: ioctl");
	CHECK_EQ(client_run("kfreezectl", "report", "--json", NULL), 0);
	check_said_weaker("\"backend-weaker\": ");
	CHECK_EQ(pair_thaw(&client).count, 2);
	sandbox_write_file(CLIENT_LOG, "", 0600);
	CHECK_EQ(client_run("kfreezectl", "check", NULL), 0);
	check_said_weaker("backend: ioctl");
}
