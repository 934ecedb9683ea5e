// SPDX-License-Identifier: GPL-2.0
/*
 * A few connections side by side. Each is answered from memory at once, also
 * while everything is frozen; one that does not read waits for itself only.
 */
#include "monitor_admin.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cycle.h"
#include "loss.h"
#include "monitor_link.h"
#include "report.h"

#define MAX_ADMINS 8 /* more wait until one of them is gone */

struct admin {
	sd_event_source *source; /* NULL: nobody is connected */
	int fd;
	bool greeted;
	bool reporting;
	uint32_t report_id; /* of the request */
	uint32_t cycle_id; /* the newest when it came */
	size_t next_record;
};

static struct {
	sd_event *event;
	sd_event_source *listener;
	enum ipc_state (*state)(void);
	struct admin admins[MAX_ADMINS];
} state;

static int send_answer(const struct admin *admin, uint32_t id, int err,
		       const char *text)
{
	struct ipc_reply reply;

	ipc_fill_answer(&reply, id, err, 0, text);
	reply.state = state.state();
	return ipc_send_reply(admin->fd, &reply);
}

static uint32_t newest_id(void)
{
	const struct report_cycle *cycle = report_cycle();

	return cycle ? cycle->id : 0;
}

/* Half of the socket's buffer is left to answers: a record that is not sent
 * would be missed. */
static bool has_room(struct admin *admin)
{
	struct pollfd fd = {.fd = admin->fd, .events = POLLOUT};

	if (poll(&fd, 1, 0) == 1 && fd.revents & POLLOUT)
		return true;
	sd_event_source_set_io_events(admin->source, EPOLLIN | EPOLLOUT);
	return false;
}

/* A new cycle takes the place of the oldest: the next record is another one. */
static int send_records(struct admin *admin)
{
	const struct report_record *record;
	struct ipc_reply reply;
	int err = 0;

	memset(&reply, 0, sizeof(reply));
	reply.type = IPC_RECORD;
	reply.id = admin->report_id;
	while (!err && admin->reporting && has_room(admin)) {
		if (newest_id() != admin->cycle_id) {
			admin->reporting = false;
			return send_answer(
				admin, reply.id, -EAGAIN,
				"a freeze has begun meanwhile: ask again");
		}
		record = report_get(admin->next_record++);
		if (!record) {
			admin->reporting = false;
			return send_answer(admin, reply.id, 0, "");
		}
		reply.record = *record;
		reply.state = state.state();
		err = ipc_send_reply(admin->fd, &reply);
	}
	return err;
}

static int answer_report(struct admin *admin, const struct ipc_request *request)
{
	if (admin->reporting)
		return -EPROTO;
	cycle_update_report();
	admin->reporting = true;
	admin->report_id = request->id;
	admin->cycle_id = newest_id();
	admin->next_record = 0;
	return send_records(admin);
}

static int serve(struct admin *admin, const struct ipc_request *request)
{
	if (request->type == IPC_HELLO && !admin->greeted) {
		admin->greeted = true;
		return request->version == IPC_VERSION
			       ? send_answer(admin, request->id, 0, "")
			       : -EPROTONOSUPPORT;
	}
	if (!admin->greeted)
		return -EPROTO;
	switch (request->type) {
	case IPC_STATUS:
		return send_answer(admin, request->id, 0, loss_text());
	case IPC_REPORT:
		return answer_report(admin, request);
	default:
		return -EPROTO;
	}
}

static void drop(struct admin *admin)
{
	sd_event_source_disable_unref(admin->source);
	close(admin->fd);
	*admin = (struct admin){0};
	sd_event_source_set_enabled(state.listener, SD_EVENT_ON);
}

static int on_admin(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct admin *admin = data;
	struct ipc_request request;
	int err = 0;

	if (events & EPOLLOUT) {
		sd_event_source_set_io_events(source, EPOLLIN);
		err = send_records(admin);
	}
	if (!err)
		err = ipc_receive_request(fd, &request);
	if (!err)
		err = serve(admin, &request);
	else if (err == -EAGAIN)
		return 0;
	if (err)
		drop(admin);
	return 0;
}

static struct admin *find_room(void)
{
	size_t i;

	for (i = 0; i < MAX_ADMINS; i++) {
		if (!state.admins[i].source)
			return &state.admins[i];
	}
	return NULL;
}

static int on_connect(sd_event_source *source, int listen_fd, uint32_t events,
		      void *unused)
{
	struct admin *admin = find_room();
	int fd;

	(void)events;
	(void)unused;
	if (!admin)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return 0;
	if (!monitor_link_trusts(fd, 0) ||
	    sd_event_add_io(state.event, &admin->source, fd, EPOLLIN, on_admin,
			    admin) < 0)
		close(fd);
	else
		admin->fd = fd;
	return 0;
}

int monitor_admin_init(sd_event *event, int listen_fd,
		       enum ipc_state (*current_state)(void))
{
	state.event = event;
	state.state = current_state;
	return sd_event_add_io(event, &state.listener, listen_fd, EPOLLIN,
			       on_connect, NULL);
}
