// SPDX-License-Identifier: GPL-2.0
/* The ioctl backend's processes: whichever dies, nothing stays frozen. */
/* link: ipc query freezer_list */
#include "ktap.h"

#include <fcntl.h>
#include <signal.h>

#include "client.h"
#include "freezer_child.h"
#include "freezer_list.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */

#define FREEZER "kfreeze-freezer"
#define GUARD "kfreeze-guard"

static const char *a, *b;

static void need_ioctl_backend(void)
{
	if (strcmp(client_backend(), "ioctl"))
		SKIP("the module has no processes");
}

static struct ipc_reply freeze_both(struct client *client)
{
	return client_answer(client, client_send_freeze(client, a, b, NULL));
}

static struct ipc_reply thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

static struct client start_frozen(void)
{
	struct client client;

	need_ioctl_backend();
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	client = client_start();
	CHECK_EQ(freeze_both(&client).count, 2);
	CHECK(sandbox_is_frozen(a));
	CHECK(sandbox_is_frozen(b));
	return client;
}

static void kill_child(const struct client *client, const char *name)
{
	pid_t pid = client_find_child(client, name);

	CHECK(pid > 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
}

static void check_thawed_and_lost(struct client *client)
{
	struct ipc_reply reply;

	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
	CHECK(client_wait_state(client, IPC_LOST, AT_ONCE_MS));
	CHECK(strstr(client->text, "a process of the freezer died"));
	reply = thaw(client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, "fsfreeze is limited"));
	/* and it goes on working */
	CHECK_EQ(freeze_both(client).count, 2);
	CHECK_EQ(thaw(client).count, 2);
}

TEST(freezer_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_child(&client, FREEZER);
	check_thawed_and_lost(&client);
}

TEST(guard_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_child(&client, GUARD);
	check_thawed_and_lost(&client);
}

TEST(freezer_and_guard_killed)
{
	struct client client;
	pid_t freezer, guard;

	SANDBOX_ENTER("");
	client = start_frozen();
	freezer = client_find_child(&client, FREEZER);
	guard = client_find_child(&client, GUARD);
	CHECK(freezer > 0 && guard > 0);
	kill(guard, SIGKILL);
	kill(freezer, SIGKILL);
	check_thawed_and_lost(&client);
}

static void check_thawed_without_monitor(struct client *client)
{
	CHECK_EQ(client_wait_exit(client, CLIENT_PATIENCE_MS), SIGKILL);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
}

TEST(monitor_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

TEST(monitor_and_freezer_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_child(&client, FREEZER);
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

TEST(monitor_and_guard_killed)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_child(&client, GUARD);
	kill(client.monitor, SIGKILL);
	check_thawed_without_monitor(&client);
}

/* Nobody is left who could thaw. */
static void kill_all(struct client *client)
{
	pid_t pids[] = {
		client->monitor,
		client_find_child(client, FREEZER),
		client_find_child(client, GUARD),
	};
	size_t i;

	for (i = 0; i < 3; i++)
		CHECK(pids[i] > 0);
	/* none may see another one's end */
	for (i = 0; i < 3; i++)
		kill(pids[i], SIGSTOP);
	for (i = 0; i < 3; i++)
		kill(pids[i], SIGKILL);
	CHECK_EQ(client_wait_exit(client, CLIENT_PATIENCE_MS), SIGKILL);
	CHECK(sandbox_is_frozen(a));
	CHECK(sandbox_is_frozen(b));
}

/* The lists there are, and the name of one. */
static int nr_lists(const char **one)
{
	const char *name;
	int nr = 0;
	DIR *dir;

	CHECK_EQ(list_init(LIST_DIRECTORY), 0);
	dir = list_open();
	while ((name = list_next(dir))) {
		*one = strdup(name);
		nr++;
	}
	closedir(dir);
	return nr;
}

TEST(all_killed_and_rescued)
{
	struct client client;
	const char *name;

	SANDBOX_ENTER("");
	client = start_frozen();
	CHECK_EQ(nr_lists(&name), 1);
	kill_all(&client);
	CHECK_EQ(client_rescue(), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
	CHECK_EQ(nr_lists(&name), 0);
}

TEST(all_killed_and_started_again)
{
	struct client client;
	const char *name;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_all(&client);
	client = client_start();
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
	CHECK_EQ(freeze_both(&client).count, 2);
	CHECK_EQ(thaw(&client).count, 2);
	CHECK_EQ(nr_lists(&name), 0);
}

TEST(rescue_thaws_what_is_mounted_elsewhere_by_now)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_all(&client);
	sandbox_move(a, "moved");
	CHECK_EQ(client_rescue(), 0);
	CHECK(sandbox_is_writable(sandbox_path("moved"), AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
}

TEST(rescue_leaves_the_freeze_of_others)
{
	struct client client;
	const char *other;

	SANDBOX_ENTER("");
	client = start_frozen();
	other = sandbox_mount("c", NULL);
	CHECK_EQ(sandbox_fifreeze(other), 0);
	kill_all(&client);
	CHECK_EQ(client_rescue(), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(sandbox_is_frozen(other));
	CHECK_EQ(sandbox_fithaw(other), 0);
}

/* Its device number has another filesystem by now. */
TEST(rescue_leaves_another_filesystem)
{
	struct child_cycle *cycle;
	struct client client;
	const char *name;
	size_t size;
	int fd;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill_all(&client);
	CHECK_EQ(nr_lists(&name), 1);
	fd = list_lock(name, false);
	cycle = list_map(fd, &size);
	CHECK(cycle && cycle->nr_targets == 2);
	cycle->targets[0].identity.id ^= 1;
	close(fd);
	CHECK_EQ(client_rescue(), 0);
	CHECK_EQ(sandbox_is_frozen(a) + sandbox_is_frozen(b), 1);
}

/* Their processes live: they hold the freeze, and will thaw. */
TEST(rescue_leaves_the_living)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	client_start();
	CHECK(sandbox_is_frozen(a));
	CHECK(sandbox_is_frozen(b));
	CHECK_EQ(thaw(&client).count, 2);
}

/* The monitor must not wait for what cannot be had. */
TEST(rescue_of_a_stuck_freeze_thaws_it_when_it_returns)
{
	const char *other, *on_a;
	struct client client;
	pid_t freezer, guard;

	need_ioctl_backend();
	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", a);
	other = sandbox_mount("c", NULL);
	sandbox_sync(on_a);
	sandbox_sync(a);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	client_send_freeze(&client, on_a, other, NULL);
	CHECK(client_wait_state(&client, IPC_FREEZING, AT_ONCE_MS));
	CHECK(sandbox_wait_frozen(other, AT_ONCE_MS));
	freezer = client_find_child(&client, FREEZER);
	guard = client_find_child(&client, GUARD);
	kill(client.monitor, SIGSTOP);
	kill(guard, SIGKILL);
	kill(freezer, SIGKILL);
	kill(client.monitor, SIGKILL);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), SIGKILL);
	client = client_start();
	CHECK(sandbox_is_writable(other, AT_ONCE_MS));
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
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
	client = start_frozen();
	CHECK_EQ(check_confined(&client, FREEZER), 3);
	CHECK_EQ(check_confined(&client, GUARD), 3);
	CHECK_EQ(thaw(&client).count, 2);
}

/* What a terminal or a careless admin sends. */
TEST(other_signals_do_not_end_the_freezer)
{
	struct client client;

	SANDBOX_ENTER("");
	client = start_frozen();
	kill(client_find_child(&client, FREEZER), SIGTERM);
	kill(client_find_child(&client, FREEZER), SIGINT);
	kill(client_find_child(&client, GUARD), SIGHUP);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(thaw(&client).count, 2);
}

TEST(umount_while_frozen_does_not_keep_it_frozen)
{
	struct client client;
	struct writer writer;

	SANDBOX_ENTER("");
	client = start_frozen();
	writer = writer_start(a);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	CHECK_EQ(thaw(&client).count, 2);
	CHECK(writer_ends(&writer, AT_ONCE_MS));
}

static bool is_expedited(void)
{
	return atoi(sandbox_read_file("/sys/kernel/rcu_expedited")) != 0;
}

TEST(grace_periods_are_expedited_only_while_freezing)
{
	struct client client;

	SANDBOX_ENTER("");
	if (is_expedited())
		SKIP("this system has expedited grace periods on");
	client = start_frozen();
	CHECK(!is_expedited());
	CHECK_EQ(thaw(&client).count, 2);
	CHECK(!is_expedited());
}

/*
 * b lies on a, which somebody else froze: b is clean, so its flush is through
 * at once, and its freeze waits for a's thaw. What else is frozen must not wait
 * for it: it is thawed at the deadline, and b whenever its freeze returns.
 */
TEST(stuck_freeze_does_not_delay_the_others)
{
	const char *other, *on_a;
	struct client client;
	struct ipc_reply reply;
	long long start;

	need_ioctl_backend();
	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", a);
	other = sandbox_mount("c", NULL);
	sandbox_sync(on_a);
	sandbox_sync(a);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	start = clock_ms();
	client_send_freeze(&client, on_a, other, NULL);
	CHECK(client_wait_state(&client, IPC_FREEZING, AT_ONCE_MS));
	CHECK(sandbox_wait_frozen(other, AT_ONCE_MS));
	CHECK(sandbox_is_writable(other, 1000 + AT_ONCE_MS));
	reply = client_answer(&client, client.next_id - 1);
	CHECK(clock_ms() - start >= 1000);
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, "freeze: not done after 1 s"));
	/* a new cycle without it works meanwhile */
	reply = client_answer(&client, client_send_freeze(&client, other, NULL));
	CHECK_EQ(reply.count, 1);
	CHECK_EQ(thaw(&client).count, 1);
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
}

/* The freezer is killed while one of its threads cannot die. */
TEST(freezer_killed_while_stuck)
{
	const char *other, *on_a;
	struct client client;

	need_ioctl_backend();
	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", a);
	other = sandbox_mount("c", NULL);
	sandbox_sync(on_a);
	sandbox_sync(a);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	client_send_freeze(&client, on_a, other, NULL);
	CHECK(client_wait_state(&client, IPC_FREEZING, AT_ONCE_MS));
	CHECK(sandbox_wait_frozen(other, AT_ONCE_MS));
	kill_child(&client, FREEZER);
	CHECK(sandbox_is_writable(other, AT_ONCE_MS));
	CHECK(client_answer(&client, client.next_id - 1).err < 0);
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
}

/* The flush cannot end, and so nothing is frozen. */
TEST(stuck_flush_freezes_nothing)
{
	const char *other, *on_a;
	struct client client;
	struct ipc_reply reply;

	need_ioctl_backend();
	SANDBOX_ENTER("[general]\nflush-timeout = 1\n");
	a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", a);
	other = sandbox_mount("c", NULL);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	sandbox_write_file(SANDBOX "/b/dirty", "dirty", 0644);
	reply = client_answer(&client,
			      client_send_freeze(&client, on_a, other, NULL));
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, "flush: not done after 1 s"));
	CHECK(sandbox_is_writable(other, AT_ONCE_MS));
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
}
