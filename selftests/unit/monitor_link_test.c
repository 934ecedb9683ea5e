// SPDX-License-Identifier: GPL-2.0
/* The monitor's side of the socket, and agents that come, lie and leave. */
/* link: monitor_link ipc query log */
/* libs: libsystemd */
#include "ktap.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "ipc.h"
#include "monitor_link.h"

static sd_event *event;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static unsigned int nr_requests, nr_gone, nr_room;
static uint32_t last_id;
static int verdict;

static int on_request(const struct ipc_request *request)
{
	nr_requests++;
	last_id = request->id;
	return verdict;
}

static void on_room(void)
{
	nr_room++;
}

static void on_gone(const char *reason)
{
	CHECK_STREQ(reason, "kfreezed died");
	nr_gone++;
}

static const struct monitor_link_ops ops = {
	.request = on_request,
	.room = on_room,
	.gone = on_gone,
};

/* An abstract address: nothing is left in the filesystem. */
static void start(uid_t uid)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		 "kfreeze-monitor-link-test-%d", getpid());
	CHECK(fd >= 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQ(listen(fd, 5), 0);
	CHECK(sd_event_new(&event) >= 0);
	CHECK(monitor_link_init(event, &ops, uid, fd, -1) >= 0);
	CHECK(monitor_link_listens());
}

static int come(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	CHECK(fd >= 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void run(void)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void say(int fd, uint32_t id)
{
	const struct ipc_request request = {.type = IPC_STATUS, .id = id};

	CHECK_EQ(ipc_send_request(fd, &request), 0);
	run();
}

static bool is_dropped(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

TEST(request_is_taken_and_answered)
{
	const struct ipc_reply reply = {.type = IPC_ANSWER, .id = 5, .count = 2};
	struct ipc_reply got;
	int fd;

	start(getuid());
	fd = come();
	say(fd, 5);
	CHECK_EQ(nr_requests, 1);
	CHECK_EQ(last_id, 5);
	monitor_link_send(&reply);
	CHECK_EQ(ipc_receive_reply(fd, &got), 0);
	CHECK_EQ(got.count, 2);
}

TEST(second_agent_waits_for_the_first_to_go)
{
	int first, second;

	start(getuid());
	first = come();
	run();
	second = come();
	say(second, 2);
	CHECK_EQ(nr_requests, 0);
	say(first, 1);
	CHECK_EQ(last_id, 1);
	close(first);
	run();
	CHECK_EQ(nr_gone, 1);
	CHECK_EQ(nr_requests, 2);
	CHECK_EQ(last_id, 2);
	CHECK(!is_dropped(second));
}

TEST(malformed_request_ends_the_connection)
{
	struct ipc_request request = {.type = IPC_REQUEST_MAX + 1};
	int fd;

	start(getuid());
	fd = come();
	CHECK_EQ(send(fd, &request, sizeof(request), 0), sizeof(request));
	run();
	CHECK(is_dropped(fd));
	CHECK_EQ(nr_gone, 1);
	fd = come();
	CHECK_EQ(send(fd, &request, sizeof(request) - 1, 0), sizeof(request) - 1);
	run();
	CHECK(is_dropped(fd));
	CHECK_EQ(nr_gone, 2);
	CHECK_EQ(nr_requests, 0);
}

TEST(refused_request_ends_the_connection)
{
	int fd;

	start(getuid());
	fd = come();
	verdict = -EPROTO;
	say(fd, 1);
	CHECK(is_dropped(fd));
	CHECK_EQ(nr_gone, 1);
	/* nobody is there: this goes nowhere */
	monitor_link_send(&(struct ipc_reply){.type = IPC_ANSWER});
}

/* Only root and kfreezed may; root is who is trusted in any case. */
TEST(stranger_is_not_heard)
{
	int fd;

	if (getuid() == 0)
		CHECK_EQ(setresuid(65534, 65534, 65534), 0);
	start(getuid() + 1);
	fd = come();
	run();
	CHECK(is_dropped(fd));
	CHECK_EQ(nr_requests, 0);
	CHECK_EQ(nr_gone, 0);
}

TEST(agent_that_does_not_read_is_dropped_and_room_is_told)
{
	const struct ipc_reply reply = {.type = IPC_ANSWER, .id = 1};
	struct ipc_reply got;
	int fd;

	start(getuid());
	fd = come();
	run();
	CHECK(monitor_link_has_room());
	while (monitor_link_has_room())
		monitor_link_send(&reply);
	run();
	CHECK_EQ(nr_room, 0);
	while (!ipc_receive_reply(fd, &got))
		;
	run();
	CHECK_EQ(nr_room, 1);
	while (!is_dropped(fd) && !nr_gone)
		monitor_link_send(&reply);
	CHECK_EQ(nr_gone, 1);
}

TEST(given_agent_has_no_successor)
{
	int fds[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	CHECK(sd_event_new(&event) >= 0);
	CHECK(monitor_link_init(event, &ops, getuid(), -1, fds[0]) >= 0);
	CHECK(!monitor_link_listens());
	say(fds[1], 9);
	CHECK_EQ(last_id, 9);
	close(fds[1]);
	run();
	CHECK_EQ(nr_gone, 1);
}
