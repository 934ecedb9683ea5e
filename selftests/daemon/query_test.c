// SPDX-License-Identifier: GPL-2.0
/* Queries among the monitor's other work, with a clock that never answers. */
/* link: ipc query */
#include "ktap.h"

#include <sys/mount.h>
#include <sys/pidfd.h>

#include "client.h"
#include "sandbox.h"

#define HWCLOCK "/sbin/hwclock"
#define STUCK SANDBOX "/hwclock"

static uint32_t send_query(struct client *client, enum query_topic topic)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request));
	request.type = IPC_QUERY;
	request.id = client->next_id++;
	request.query.topic = topic;
	CHECK_EQ(ipc_send_request(client->fd, &request), 0);
	return request.id;
}

/* In a VM nobody may be there to reap it. */
static bool wait_gone(pid_t pid)
{
	struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};

	if (end.fd < 0)
		return errno == ESRCH;
	return poll(&end, 1, CLIENT_PATIENCE_MS) == 1;
}

/* This program, when it is run as the clock. */
__attribute__((constructor)) static void play_hwclock(void)
{
	FILE *file;

	if (strcmp(program_invocation_name, HWCLOCK))
		return;
	file = fopen(STUCK ".pid", "w");
	fprintf(file, "%d\n", getpid());
	fclose(file);
	for (;;)
		pause();
}

/* In our mount namespace only. After the monitor has been started: that may be
 * where its program is. In a VM the shell is there, too. */
static void replace_hwclock(void)
{
	char program[PATH_MAX];

	CHECK(realpath("/proc/self/exe", program) != NULL);
	CHECK_EQ(mount("tmpfs", "/sbin", "tmpfs", 0, "mode=755"), 0);
	sandbox_write_file(HWCLOCK, "", 0755);
	CHECK_EQ(mount(program, HWCLOCK, NULL, MS_BIND, NULL), 0);
}

/* Its id; the pid of the program that never ends is in *@pid. */
static uint32_t send_stuck_query(struct client *client, pid_t *pid)
{
	long long end = clock_ms() + CLIENT_PATIENCE_MS;
	uint32_t id;

	unlink(STUCK ".pid");
	id = send_query(client, QUERY_SET_TIME);
	do {
		CHECK(clock_ms() < end);
		*pid = atoi(sandbox_read_file(STUCK ".pid"));
	} while (*pid <= 0);
	return id;
}

TEST(query_is_answered)
{
	struct ipc_reply reply;
	struct client client;

	SANDBOX_ENTER("");
	client = client_start();
	reply = client_answer(&client, send_query(&client, QUERY_HOST_NAME));
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.state, IPC_THAWED);
	reply = client_answer(&client, send_query(&client, QUERY_DISKS));
	CHECK_EQ(reply.err, 0);
}

TEST(nothing_is_asked_while_frozen)
{
	struct ipc_reply reply;
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, NULL)).err,
		 0);
	reply = client_answer(&client, send_query(&client, QUERY_HOST_NAME));
	CHECK_EQ(reply.err, -EBUSY);
	CHECK_STREQ(reply.text, "a freeze is under way");
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	reply = client_answer(&client, send_query(&client, QUERY_HOST_NAME));
	CHECK_EQ(reply.err, 0);
}

TEST(others_are_answered_meanwhile_until_time_is_up)
{
	long long begin, took;
	struct ipc_reply reply;
	struct client client;
	uint32_t id;
	pid_t pid;

	SANDBOX_ENTER("");
	client = client_start();
	replace_hwclock();
	begin = clock_ms();
	id = send_stuck_query(&client, &pid);
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_STATUS)).err, 0);
	reply = client_answer(&client, id);
	took = clock_ms() - begin;
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK_STREQ(reply.text, "the system did not answer in time");
	CHECK(took >= 9900 && took < 13000);
	CHECK(wait_gone(pid));
}

TEST(freeze_ends_a_query)
{
	struct client client;
	struct ipc_reply reply;
	uint32_t query, freeze;
	const char *a;
	pid_t pid;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	replace_hwclock();
	query = send_stuck_query(&client, &pid);
	freeze = client_send_freeze(&client, a, NULL);
	reply = client_answer(&client, query);
	CHECK_EQ(reply.err, -ECANCELED);
	CHECK_STREQ(reply.text, "a freeze is under way");
	CHECK_EQ(client_answer(&client, freeze).err, 0);
	CHECK(wait_gone(pid));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
}

TEST(second_query_at_a_time_ends_the_connection)
{
	struct client client;
	pid_t pid;

	SANDBOX_ENTER("");
	client = client_start();
	replace_hwclock();
	send_stuck_query(&client, &pid);
	send_query(&client, QUERY_HOST_NAME);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
	CHECK(wait_gone(pid));
}

/* What it has started gets root's capabilities back, which makes the kernel
 * forget whose death it should follow: it ends by itself. */
TEST(query_dies_with_the_monitor)
{
	struct client client;
	pid_t pid, query;

	SANDBOX_ENTER("");
	client = client_start();
	replace_hwclock();
	send_stuck_query(&client, &pid);
	query = client_find_child(&client, "kfreeze-query");
	CHECK(query > 0);
	CHECK_EQ(kill(client.monitor, SIGKILL), 0);
	CHECK(wait_gone(query));
	CHECK_EQ(kill(pid, SIGKILL), 0);
}
