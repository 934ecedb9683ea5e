// SPDX-License-Identifier: GPL-2.0
/* All processes of the ioctl backend killed at once: what comes after thaws. */
/* link: ipc query freezer_list */
#include "ktap.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "client.h"
#include "freezer_child.h"
#include "freezer_list.h"
#include "pair.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */

/* None sees another one's end. */
static void kill_processes(struct client *client)
{
	pid_t pids[] = {
		client->monitor,
		client_find_child(client, PAIR_FREEZER),
		client_find_child(client, PAIR_GUARD),
	};
	size_t i;

	for (i = 0; i < 3; i++)
		CHECK(pids[i] > 0);
	for (i = 0; i < 3; i++)
		kill(pids[i], SIGSTOP);
	for (i = 0; i < 3; i++)
		kill(pids[i], SIGKILL);
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
	CHECK(sandbox_is_writable(pair_a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, AT_ONCE_MS));
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
	CHECK(sandbox_is_writable(pair_a, AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, AT_ONCE_MS));
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
	CHECK(sandbox_is_writable(sandbox_path("moved"), AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, AT_ONCE_MS));
}

/* A process with a copy of our mounts; they are its own from here on. */
static void start_namespace(void)
{
	int ready[2];
	char byte;

	CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
	if (!fork()) {
		if (unshare(CLONE_NEWNS) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
}

TEST(rescue_thaws_what_is_mounted_in_another_namespace_only)
{
	struct client client;
	struct writer writer;

	SANDBOX_ENTER("");
	client = pair_freeze();
	start_namespace();
	kill_all(&client);
	writer = writer_start(pair_a);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(sandbox_umount_lazily(pair_a), 0);
	CHECK_EQ(client_run("kfreeze-monitor", "--rescue", NULL), 0);
	CHECK(writer_ends(&writer, AT_ONCE_MS));
	CHECK(sandbox_is_writable(pair_b, AT_ONCE_MS));
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
	CHECK(sandbox_is_writable(pair_a, AT_ONCE_MS));
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
	const char *other, *on_a;
	bool was_expedited = pair_is_expedited();
	struct client client;

	pair_need_ioctl();
	SANDBOX_ENTER("");
	pair_a = sandbox_mount("a", NULL);
	on_a = sandbox_mount("b", pair_a);
	other = sandbox_mount("c", NULL);
	sandbox_sync(on_a);
	sandbox_sync(pair_a);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(pair_a), 0);
	client_send_freeze(&client, on_a, other, NULL);
	CHECK(client_wait_state(&client, IPC_FREEZING, AT_ONCE_MS));
	CHECK(sandbox_wait_frozen(other, AT_ONCE_MS));
	kill_processes(&client);
	CHECK(pair_is_expedited());
	client = client_start();
	CHECK(sandbox_is_writable(other, AT_ONCE_MS));
	CHECK(was_expedited || !pair_is_expedited());
	CHECK_EQ(sandbox_fithaw(pair_a), 0);
	CHECK(sandbox_is_writable(on_a, AT_ONCE_MS));
}
