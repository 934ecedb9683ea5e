// SPDX-License-Identifier: GPL-2.0
/* Requests that the monitor's socket has no room for, over a real one. */
/* link: monitor_queue ipc query */
#include "ktap.h"

#include <sys/socket.h>

#include "ipc.h"
#include "monitor_queue.h"

static int fds[2];
static struct monitor_queue queue;

static void start(void)
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
}

static void add(uint32_t first, uint32_t last)
{
	struct ipc_request request = {.type = IPC_STATUS};

	for (request.id = first; request.id <= last; request.id++)
		CHECK_EQ(monitor_queue_add(&queue, &request), 0);
}

/* What has arrived must be the next in order. */
static uint32_t receive_after(uint32_t last)
{
	struct ipc_request request;
	int err;

	while (!(err = ipc_receive_request(fds[1], &request)))
		CHECK_EQ(request.id, ++last);
	CHECK_EQ(err, -EAGAIN);
	return last;
}

TEST(empty_queue_sends_nothing)
{
	start();
	CHECK_EQ(monitor_queue_send(&queue, fds[0]), 0);
	CHECK_EQ(receive_after(0), 0);
}

TEST(order_is_kept_over_a_full_socket)
{
	uint32_t last = 0, rounds = 0;

	start();
	add(1, 500);
	while (monitor_queue_send(&queue, fds[0]) == -EAGAIN) {
		CHECK(queue.first != NULL);
		last = receive_after(last);
		rounds++;
	}
	CHECK(rounds > 0);
	CHECK(queue.first == NULL);
	CHECK_EQ(receive_after(last), 500);
}

TEST(what_is_added_later_comes_last)
{
	start();
	add(1, 2);
	CHECK_EQ(monitor_queue_send(&queue, fds[0]), 0);
	add(3, 4);
	CHECK_EQ(monitor_queue_send(&queue, fds[0]), 0);
	CHECK_EQ(receive_after(0), 4);
}

TEST(lost_monitor_is_an_error_and_the_rest_is_dropped)
{
	start();
	add(1, 3);
	close(fds[1]);
	CHECK_EQ(monitor_queue_send(&queue, fds[0]), -EPIPE);
	CHECK(queue.first != NULL);
	monitor_queue_drop(&queue);
	CHECK(queue.first == NULL);
	CHECK_EQ(monitor_queue_send(&queue, fds[0]), 0);
}
