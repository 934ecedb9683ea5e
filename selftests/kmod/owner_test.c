// SPDX-License-Identifier: GPL-2.0
/* Authority is the socket: not its port id, not whoever talks next. */
#include "cycle.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "ktap.h"

#define RACES 200

void ktap_teardown(void)
{
	disk_umount_all();
}

static void *close_client(void *client)
{
	client_close(client);
	return NULL;
}

/* A socket that takes the port id the moment it is free. */
static struct nl_sock *take_port(uint32_t port)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_pid = port};
	long long until = clock_ms() + 5000;
	struct nl_sock *sock;
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	CHECK(fd >= 0);
	while (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		CHECK(errno == EADDRINUSE && clock_ms() < until);
	sock = nl_socket_alloc();
	CHECK(sock);
	CHECK_EQ(nl_socket_set_fd(sock, NETLINK_GENERIC, fd), 0);
	return sock;
}

TEST_TIMEOUT(reuse_of_a_port_id_inherits_nothing, 60)
{
	int family = client_new()->family;
	struct client thief = {.family = family};
	pthread_t closer;
	int i;

	for (i = 0; i < RACES; i++) {
		struct client *owner = client_open();
		uint32_t port = client_port(owner);

		CHECK_EQ(pthread_create(&closer, NULL, close_client, owner), 0);
		thief.sock = take_port(port);
		CHECK_EQ(client_command(&thief, KFREEZE_CMD_THAW), -EPERM);
		pthread_join(closer, NULL);
		/* nor does its own death end a session of that port */
		nl_socket_free(thief.sock);
	}
}

TEST(socket_passed_to_another_process_keeps_its_session)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;
	int status;
	pid_t pid;

	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK_EQ(setresuid(65534, 65534, 65534), 0);
		cycle_freeze(client, &dir, 1, 20000);
		_exit(EXIT_SUCCESS);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

TEST(strangers_cannot_thaw)
{
	struct client *client = client_open(), *stranger = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;

	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(client_command(stranger, KFREEZE_CMD_THAW), -ESRCH);
	CHECK_EQ(client_command(client_new(), KFREEZE_CMD_THAW), -EPERM);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

/* Ask and never read, until the socket is full. */
static void fill_receive_buffer(struct client *client)
{
	int size = 1, err = 0, i;
	socklen_t len = sizeof(err);

	CHECK_EQ(setsockopt(client_fd(client), SOL_SOCKET, SO_RCVBUF, &size,
			    sizeof(size)),
		 0);
	for (i = 0; i < 200 && !err; i++) {
		struct nl_msg *msg = client_message(client, KFREEZE_CMD_INFO);

		nl_complete_msg(client->sock, msg);
		nl_send(client->sock, msg);
		nlmsg_free(msg);
		getsockopt(client_fd(client), SOL_SOCKET, SO_ERROR, &err, &len);
	}
	CHECK_EQ(err, ENOBUFS);
}

/* A result that does not fit is lost, the socket says so, STATUS tells. */
TEST(full_receive_buffer_loses_no_state)
{
	struct client *client = client_open(), *admin = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	struct client_result messages[2];
	char buffer[4096];

	CHECK_EQ(client_listen(admin), 0);
	cycle_freeze(client, &dir, 1, 1000);
	CHECK_EQ(cycle_result(admin).event, KFREEZE_EVENT_FROZEN);
	fill_receive_buffer(client);
	CHECK_EQ(cycle_result(admin).event, KFREEZE_EVENT_OVER);
	while (recv(client_fd(client), buffer, sizeof(buffer), MSG_DONTWAIT) > 0 ||
	       errno == ENOBUFS)
		;
	CHECK_EQ(client_status(client, messages, 2), 2);
	CHECK_EQ(messages[0].state, KFREEZE_STATE_IDLE);
	CHECK_EQ(messages[0].verdict, KFREEZE_VERDICT_LOST);
	CHECK(!client->results);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESTALE);
}
