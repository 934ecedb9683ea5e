// SPDX-License-Identifier: GPL-2.0
/*
 * Accepts the agent, if it is the right user's, takes its requests, and drops
 * it at the first malformed one.
 */
#include "monitor_link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc.h"
#include "log.h"

static struct {
	sd_event *event;
	const struct monitor_link_ops *ops;
	uid_t uid; /* who may connect, besides root */
	int fd; /* -1: nobody is connected */
	sd_event_source *listener, *agent; /* listener: NULL if there is none */
} state = {.fd = -1};

static void drop(int err)
{
	const char *reason = err == -EPIPE ? "connection closed" : strerror(-err);

	if (state.fd < 0)
		return;
	log_info("kfreezed has gone: %s", reason);
	state.agent = sd_event_source_disable_unref(state.agent);
	close(state.fd);
	state.fd = -1;
	if (state.listener)
		sd_event_source_set_enabled(state.listener, SD_EVENT_ON);
	state.ops->gone("kfreezed died");
}

static int on_agent(sd_event_source *source, int fd, uint32_t events, void *unused)
{
	struct ipc_request request;
	int err = 0;

	(void)unused;
	if (events & EPOLLOUT) {
		sd_event_source_set_io_events(source, EPOLLIN);
		state.ops->room();
	}
	if (state.fd >= 0)
		err = ipc_receive_request(fd, &request);
	if (!err && state.fd >= 0)
		err = state.ops->request(&request);
	if (err && err != -EAGAIN)
		drop(err);
	return 0;
}

bool monitor_link_trusts(int fd, uid_t uid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	if (peer.uid == 0 || peer.uid == uid)
		return true;
	log_warn("refused a connection of pid %d, uid %u", peer.pid, peer.uid);
	return false;
}

static int take_agent(int fd)
{
	int err = sd_event_add_io(state.event, &state.agent, fd, EPOLLIN,
				  on_agent, NULL);

	if (err < 0)
		return err;
	state.fd = fd;
	return 0;
}

/* One agent at a time: the next one waits until this one is gone. */
static int on_connect(sd_event_source *source, int listen_fd, uint32_t events,
		      void *unused)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	(void)unused;
	if (fd < 0)
		return 0;
	if (!monitor_link_trusts(fd, state.uid) || take_agent(fd)) {
		close(fd);
		return 0;
	}
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

int monitor_link_init(sd_event *event, const struct monitor_link_ops *ops,
		      uid_t uid, int listen_fd, int agent_fd)
{
	state.event = event;
	state.ops = ops;
	state.uid = uid;
	if (agent_fd >= 0)
		return take_agent(agent_fd);
	return sd_event_add_io(event, &state.listener, listen_fd, EPOLLIN,
			       on_connect, NULL);
}

bool monitor_link_listens(void)
{
	return state.listener != NULL;
}

bool monitor_link_has_room(void)
{
	struct pollfd p = {.fd = state.fd, .events = POLLOUT};

	if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
		return true;
	if (state.agent)
		sd_event_source_set_io_events(state.agent, EPOLLIN | EPOLLOUT);
	return false;
}

void monitor_link_send(const struct ipc_reply *reply)
{
	int err;

	if (state.fd < 0)
		return;
	err = ipc_send_reply(state.fd, reply);
	if (err)
		drop(err);
}
