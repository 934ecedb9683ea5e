// SPDX-License-Identifier: GPL-2.0
/* What the child of a query sends, and what of the monitor's it keeps. */
/* link: query_run query_child query_system query_stats */
/* link: query_time query_net query_unit query_power */
/* link: query_command query_file query_disk query_address query_smart */
/* link: query_filesystem mounts_local mounts_table ipc query */
/* libs: mount */
#include "ktap.h"

#include <sys/socket.h>

#include "ipc.h"
#include "query_run.h"

static int sockets[2], held[2];
static pid_t child;

/* Room for one message, and a pipe open as the monitor might have one. */
static void start(enum query_topic topic)
{
	const struct query query = {.topic = topic};
	int size = 1;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	CHECK_EQ(setsockopt(sockets[1], SOL_SOCKET, SO_SNDBUF, &size,
			    sizeof(size)),
		 0);
	CHECK_EQ(pipe(held), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		query_run(&query, sockets[1]);
	close(sockets[1]);
	close(held[1]);
}

static void check_ended(void)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static int receive(struct ipc_reply *reply)
{
	struct pollfd p = {.fd = sockets[0], .events = POLLIN};

	CHECK_EQ(poll(&p, 1, 20000), 1);
	return ipc_receive_reply(sockets[0], reply);
}

TEST(records_then_one_answer)
{
	struct ipc_reply reply;
	unsigned int nr = 0;

	start(QUERY_CPUSTATS);
	while (!receive(&reply) && reply.type == IPC_QUERY_RECORD) {
		CHECK_EQ(reply.query_record.kind, QUERY_CPU_TIMES);
		nr++;
	}
	CHECK(nr > 0);
	CHECK_EQ(reply.type, IPC_ANSWER);
	CHECK_EQ(reply.err, 0);
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(receive(&reply), -EPIPE);
	check_ended();
}

/* It waits until its record is read: so it is not its end that is seen. */
TEST(what_the_monitor_holds_is_let_go)
{
	char byte;

	start(QUERY_HOST_NAME);
	CHECK_EQ(read(held[0], &byte, 1), 0);
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	close(sockets[0]);
	CHECK_EQ(waitpid(child, NULL, 0), child);
}
