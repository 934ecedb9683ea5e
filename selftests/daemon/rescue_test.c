// SPDX-License-Identifier: GPL-2.0
/* All processes of the ioctl backend killed at once: what comes after thaws. */
/* link: ipc query freezer_list */
#include "ktap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "client.h"
#include "freezer_child.h"
#include "freezer_list.h"
#include "hostile.h"
#include "pair.h"
#include "sandbox.h"

#define PATIENCE_MS 5000 /* another program is started */

/* None sees another one's end. */
static void kill_at_once(const pid_t *pids, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		CHECK(pids[i] > 0);
	for (i = 0; i < nr; i++)
		kill(pids[i], SIGSTOP);
	for (i = 0; i < nr; i++)
		kill(pids[i], SIGKILL);
}

static void kill_children(const struct client *client)
{
	const pid_t pids[] = {
		client_find_child(client, PAIR_FREEZER),
		client_find_child(client, PAIR_GUARD),
	};

	kill_at_once(pids, 2);
}

static void kill_processes(struct client *client)
{
	const pid_t pids[] = {
		client->monitor,
		client_find_child(client, PAIR_FREEZER),
		client_find_child(client, PAIR_GUARD),
	};

	kill_at_once(pids, 3);
	CHECK_EQ(client_wait_exit(client, CLIENT_PATIENCE_MS), SIGKILL);
}

/* Nobody is left who could thaw. */
static void kill_all(struct client *client)
{
	kill_processes(client);
	CHECK(sandbox_is_frozen(pair_a));
	CHECK(sandbox_is_frozen(pair_b));
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
	client = pair_freeze();
	CHECK_EQ(nr_lists(&name), 1);
	kill_all(&client);
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
	CHECK_EQ(nr_lists(&name), 0);
}

TEST(all_killed_and_started_again)
{
	struct client client;
	const char *name;

	SANDBOX_ENTER("");
	client = pair_freeze();
	kill_all(&client);
	client = client_start();
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
	/* what the host was told is not forgotten */
	CHECK_EQ(client.state, IPC_LOST);
	CHECK_EQ(pair_thaw(&client).err, -ESTALE);
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	CHECK_EQ(pair_thaw(&client).count, 2);
	CHECK_EQ(nr_lists(&name), 0);
	client = client_start();
	CHECK_EQ(client.state, IPC_THAWED);
}

TEST(rescue_thaws_what_is_mounted_elsewhere_by_now)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	kill_all(&client);
	sandbox_write_file(SANDBOX_CONF, "nonsense\n", 0644);
	sandbox_move(pair_a, "moved");
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK(sandbox_is_writable(sandbox_path("moved"), PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

TEST(rescue_thaws_what_is_mounted_in_another_namespace_only)
{
	struct client client;
	struct writer writer;

	SANDBOX_ENTER("");
	client = pair_freeze();
	hostile_container();
	kill_all(&client);
	writer = writer_start(pair_a);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(sandbox_umount_lazily(pair_a), 0);
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK(writer_ends(&writer, PAIR_AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

TEST(rescue_leaves_the_freeze_of_others)
{
	struct client client;
	const char *other;

	SANDBOX_ENTER("");
	client = pair_freeze();
	other = sandbox_mount("c", NULL);
	CHECK_EQ(sandbox_fifreeze(other), 0);
	kill_all(&client);
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK(sandbox_is_writable(pair_a, PAIR_AT_ONCE_MS));
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
	client = pair_freeze();
	kill_all(&client);
	CHECK_EQ(nr_lists(&name), 1);
	fd = list_lock(name, false);
	cycle = list_map(fd, &size);
	CHECK(cycle && cycle->nr_targets == 2);
	cycle->targets[0].identity.id ^= 1;
	close(fd);
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK_EQ(sandbox_is_frozen(pair_a) + sandbox_is_frozen(pair_b), 1);
}

/* Killed before the freezer had come to it: one was ordered, one refused. */
static const struct {
	enum kfreeze_target_state state;
	bool is_ours, is_thawed;
} foreign[] = {
	{KFREEZE_TARGET_FREEZING, false, false},
	{KFREEZE_TARGET_FREEZING, true, true}, /* nobody can know */
	{KFREEZE_TARGET_FROZEN, false, false}, /* accepted */
	{KFREEZE_TARGET_THAWING, false, false},
};

TEST(rescue_leaves_what_others_have_frozen)
{
	struct child_cycle *cycle;
	struct client client;
	const char *name;
	size_t size, i;
	int fd;

	SANDBOX_ENTER("");
	for (i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		client = i ? client_start() : pair_freeze();
		if (i)
			CHECK_EQ(pair_freeze_again(&client).count, 2);
		kill_all(&client);
		CHECK_EQ(nr_lists(&name), 1);
		fd = list_lock(name, false);
		cycle = list_map(fd, &size);
		CHECK(cycle && cycle->nr_targets == 2);
		cycle->targets[0].state = cycle->targets[1].state = foreign[i].state;
		cycle->targets[0].is_ours = cycle->targets[1].is_ours =
			foreign[i].is_ours;
		close(fd);
		CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
		CHECK_EQ(sandbox_is_frozen(pair_a), !foreign[i].is_thawed);
		CHECK_EQ(sandbox_is_frozen(pair_b), !foreign[i].is_thawed);
		if (!foreign[i].is_thawed) {
			CHECK_EQ(sandbox_fithaw(pair_a), 0);
			CHECK_EQ(sandbox_fithaw(pair_b), 0);
		}
	}
}

/* Their processes live: they hold the freeze, and will thaw. */
TEST(rescue_leaves_the_living)
{
	struct client client;

	SANDBOX_ENTER("");
	client = pair_freeze();
	client_start();
	CHECK(sandbox_is_frozen(pair_a));
	CHECK(sandbox_is_frozen(pair_b));
	CHECK_EQ(pair_thaw(&client).count, 2);
}

/* The monitor must not wait for what cannot be had. */
TEST(rescue_of_a_stuck_freeze_thaws_it_when_it_returns)
{
	bool was_expedited = pair_is_expedited();
	struct client client;

	SANDBOX_ENTER("");
	pair_get_stuck(&client);
	kill_processes(&client);
	CHECK(pair_is_expedited());
	client = client_start();
	CHECK(sandbox_is_writable(pair_other, PAIR_AT_ONCE_MS));
	CHECK(was_expedited || !pair_is_expedited());
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

/* systemd starts the next monitor only after it. */
TEST(rescue_leaves_what_is_stuck_to_its_guard)
{
	struct client client;
	long long start;

	SANDBOX_ENTER("");
	pair_get_stuck(&client);
	kill_processes(&client);
	start = clock_ms();
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 1);
	CHECK(clock_ms() - start < 8000);
	CHECK(sandbox_is_writable(pair_other, PAIR_AT_ONCE_MS));
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(pair_b, PAIR_AT_ONCE_MS));
}

/* The next process that it forks dies at birth. */
static void kill_next_child(pid_t monitor)
{
	unsigned long child;
	int status, sig;

	while (waitpid(monitor, &status, 0) == monitor &&
	       status >> 16 != PTRACE_EVENT_FORK) {
		CHECK(WIFSTOPPED(status));
		sig = status >> 16 ? 0 : WSTOPSIG(status);
		CHECK_EQ(ptrace(PTRACE_CONT, monitor, NULL, sig), 0);
	}
	CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, monitor, NULL, &child), 0);
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, &status, __WALL), child);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(ptrace(PTRACE_DETACH, monitor, NULL, NULL), 0);
}

/* Whom the monitor starts in their place is killed, too: nobody is left. */
TEST(monitor_rescues_what_its_children_leave)
{
	struct client client;
	const char *name;
	long long end;

	SANDBOX_ENTER("");
	client = pair_freeze();
	CHECK_EQ(ptrace(PTRACE_SEIZE, client.monitor, NULL, PTRACE_O_TRACEFORK),
		 0);
	kill_children(&client);
	kill_next_child(client.monitor);
	CHECK(sandbox_is_writable(pair_a, PATIENCE_MS));
	CHECK(sandbox_is_writable(pair_b, PATIENCE_MS));
	CHECK(client_wait_state(&client, IPC_LOST, PATIENCE_MS));
	CHECK_EQ(pair_thaw(&client).err, -ESTALE);
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	CHECK_EQ(pair_thaw(&client).count, 2);
	end = clock_ms() + PATIENCE_MS;
	while (nr_lists(&name))
		CHECK(clock_ms() < end);
}
