// SPDX-License-Identifier: GPL-2.0
/* Authority is the socket: not its port id, not whoever talks next. */
#include "cycle.h"

#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <pthread.h>
#include <sched.h>
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
		/* news of the owner's death may come now: not for this one */
		CHECK_EQ(client_command(&thief, KFREEZE_CMD_OPEN), 0);
		pthread_join(closer, NULL);
		CHECK_EQ(client_command(&thief, KFREEZE_CMD_THAW), -ESRCH);
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

static void send_descriptor(int to, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(fd))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(to, &msg, 0), 1);
}

static int receive_descriptor(int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	CHECK_EQ(recvmsg(from, &msg, MSG_CMSG_CLOEXEC), 1);
	CHECK_EQ(CMSG_FIRSTHDR(&msg)->cmsg_len, CMSG_LEN(sizeof(fd)));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* Who opened and froze is gone; even in flight the socket is the owner. */
TEST(socket_sent_to_another_process_keeps_its_session)
{
	struct client owner = {.sock = nl_socket_alloc()};
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;
	int ends[2], status;
	pid_t pid;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct client *client = client_open();

		cycle_freeze(client, &dir, 1, 20000);
		send_descriptor(ends[1], client_fd(client));
		_exit(EXIT_SUCCESS);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	owner.family = client_new()->family;
	CHECK_EQ(nl_socket_set_fd(owner.sock, NETLINK_GENERIC,
				  receive_descriptor(ends[0])),
		 0);
	CHECK_EQ(cycle_thaw(&owner).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

static void *write_for_ever(void *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/thread", (const char *)dir);
	open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	return NULL;
}

/*
 * A thread that waits for our thaw keeps its process's descriptors: killed,
 * the owner is not gone, and only the deadline helps.
 */
TEST(owner_that_blocks_itself_is_thawed_at_the_deadline)
{
	const char *dir = disk_mount(DISK_EXT4);
	struct client *listener = client_open();
	struct client_result event;
	pthread_t thread;
	pid_t pid;

	CHECK_EQ(client_listen(listener), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		cycle_freeze(client_open(), &dir, 1, 2000);
		pthread_create(&thread, NULL, write_for_ever, (void *)dir);
		poll(NULL, 0, 200); /* it blocks now, or dies with us */
		kill(getpid(), SIGKILL);
	}
	CHECK_EQ(cycle_result(listener).event, KFREEZE_EVENT_FROZEN);
	event = cycle_result(listener);
	CHECK_EQ(event.event, KFREEZE_EVENT_OVER);
	CHECK_EQ(event.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(event.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(family_is_not_in_other_network_namespaces)
{
	struct nl_sock *sock = nl_socket_alloc();

	client_new();
	if (unshare(CLONE_NEWNET) && errno == EINVAL)
		SKIP("this kernel has one network namespace only");
	CHECK_EQ(genl_connect(sock), 0);
	CHECK_EQ(genl_ctrl_resolve(sock, "nlctrl"), GENL_ID_CTRL);
	CHECK_EQ(genl_ctrl_resolve(sock, KFREEZE_GENL_NAME), -NLE_OBJ_NOTFOUND);
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
