// SPDX-License-Identifier: GPL-2.0
/*
 * The agent's side of the monitor's socket. It mirrors the monitor's state;
 * when the monitor goes away it remembers what the host must still hear.
 */
#include "monitor_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "monitor_pending.h"
#include "monitor_queue.h"
#include "monitor_retry.h"

#define HELLO_LIMIT_MS 10000
/* What a monitor held is thawed within a second of its death. */
#define THAWED_AFTER_MS 1000

#define GONE "kfreeze-monitor is gone"
#define STOPPING "kfreezed is being stopped"

struct monitor_client {
	const char *path;
	const struct config *config;
	bool can_reconnect;
	int epoll, timer, socket; /* socket: -1 while there is none */
	bool greeted; /* HELLO has been answered */
	bool settled;
	bool thawing_by_itself; /* it died; THAWED_AFTER_MS is not over */
	struct monitor_retry retry;
	uint32_t last_id;
	enum ipc_state state; /* as told last */
	struct monitor_queue out; /* not sent yet */
	struct monitor_pending hello, freeze, thaw, report, query;
	struct monitor_pending late_thaw; /* asked after the one of our own */
	char told_loss[IPC_TEXT_MAX]; /* of the monitor's state IPC_LOST */
	char loss[IPC_TEXT_MAX]; /* our own, the monitor has none; "": none */
	int64_t loss_ends_ms;
	bool loss_was_told; /* of the monitor that has gone */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void arm_timer(struct monitor_client *client, unsigned int ms)
{
	const struct itimerspec when = {
		.it_value = {ms / 1000, ms % 1000 * 1000000L},
	};

	timerfd_settime(client->timer, 0, &when, NULL);
}

static void watch_socket(struct monitor_client *client, int operation)
{
	struct epoll_event event = {
		.events = EPOLLIN | (client->out.first ? EPOLLOUT : 0),
		.data.fd = client->socket,
	};

	epoll_ctl(client->epoll, operation, client->socket, &event);
}

/* Our own record of a loss, not the monitor's. */
static bool has_loss(const struct monitor_client *client)
{
	return client->loss[0] && now_ms() < client->loss_ends_ms;
}

void monitor_remember_loss(struct monitor_client *client, const char *text)
{
	snprintf(client->loss, sizeof(client->loss), "%s", text);
	client->loss_ends_ms = now_ms() + client->config->lost_ttl_ms;
}

enum ipc_state monitor_state(const struct monitor_client *client)
{
	bool idle = client->state == IPC_THAWED || client->state == IPC_LOST;

	/* asked for, but the monitor has not said so yet */
	if (idle && client->freeze.id)
		return IPC_FREEZING;
	if (client->state == IPC_THAWED && has_loss(client))
		return IPC_LOST;
	return client->state;
}

bool monitor_client_may_be_frozen(const struct monitor_client *client)
{
	enum ipc_state state = monitor_state(client);

	return client->thawing_by_itself ||
	       (state != IPC_THAWED && state != IPC_LOST);
}

bool monitor_client_is_settled(const struct monitor_client *client)
{
	return client->settled;
}

int monitor_client_fd(const struct monitor_client *client)
{
	return client->epoll;
}

static void describe_loss(const struct monitor_client *client, char *text,
			  size_t size)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&now, &tm));
	snprintf(text, size,
		 "fsfreeze is limited up to %u seconds: kfreeze-monitor ended at %s, which thawed everything: a snapshot taken since the freeze is not consistent",
		 client->config->timeout_ms / 1000, when);
}

/* Tell everybody who waits, and keep what nobody has been told. @loss: "" if
 * the host has nothing to fear. */
static void settle_debts(struct monitor_client *client, const char *loss)
{
	bool thaw_waits = client->thaw.id != 0;

	monitor_pending_answer(&client->freeze, -ECONNRESET, 0,
			       GONE ": what was frozen has been thawed");
	monitor_pending_answer(&client->thaw, *loss ? -ESTALE : -ECONNRESET, 0,
			       *loss ? loss : GONE);
	monitor_pending_answer(&client->report, -ECONNRESET, 0, GONE);
	monitor_pending_answer(&client->query, -ECONNRESET, 0, GONE);
	client->loss_was_told = *loss && thaw_waits;
	if (*loss && !thaw_waits)
		monitor_remember_loss(client, loss);
}

/* Until it has greeted us it holds nothing, and nobody waits for it. */
static void lose_monitor(struct monitor_client *client, const char *reason)
{
	bool was_greeted = client->greeted;
	bool was_frozen = was_greeted && monitor_client_may_be_frozen(client);
	char loss[IPC_TEXT_MAX] = "";

	if (was_frozen)
		describe_loss(client, loss, sizeof(loss));
	else if (was_greeted && client->state == IPC_LOST)
		memcpy(loss, client->told_loss, sizeof(loss));
	if (monitor_retry_is_news(&client->retry, reason))
		log_err(GONE ": %s%s", reason,
			client->can_reconnect ? "" : ": restart kfreezed");
	close(client->socket);
	client->socket = -1;
	client->greeted = false;
	client->settled = true;
	client->thawing_by_itself = was_frozen;
	client->state = IPC_THAWED;
	client->hello = (struct monitor_pending){0};
	monitor_queue_drop(&client->out);
	if (was_greeted)
		settle_debts(client, loss);
	arm_timer(client, was_frozen ? THAWED_AFTER_MS
				     : monitor_retry_delay_ms(&client->retry));
}

static void send_outgoing(struct monitor_client *client)
{
	int err = monitor_queue_send(&client->out, client->socket);

	/* at -EPIPE there may be last words to read first */
	if (err && err != -EAGAIN && err != -EPIPE) {
		lose_monitor(client, strerror(-err));
		return;
	}
	if (err == -EPIPE)
		monitor_queue_drop(&client->out);
	watch_socket(client, EPOLL_CTL_MOD);
}

static int ask(struct monitor_client *client, struct monitor_pending *pending,
	       struct ipc_request *request, const struct monitor_pending *new)
{
	int err;

	request->id = ++client->last_id ? client->last_id : ++client->last_id;
	err = monitor_queue_add(&client->out, request);
	if (err)
		return err;
	*pending = *new;
	pending->id = request->id;
	send_outgoing(client);
	return 0;
}

/* NULL, or why nothing can be asked now. */
static const char *cannot_ask(const struct monitor_client *client,
			      const struct monitor_pending *pending, int *err)
{
	*err = -ENOTCONN;
	if (client->socket < 0)
		return client->can_reconnect ? GONE ": try again in a moment"
					     : GONE ": restart kfreezed";
	if (!client->greeted)
		return "kfreeze-monitor does not answer";
	*err = -EBUSY;
	return pending->id ? "the same request is under way already" : NULL;
}

void monitor_freeze(struct monitor_client *client, const char *const *paths,
		    size_t nr_paths, monitor_answer_fn fn, void *data)
{
	struct ipc_request request = {
		.type = IPC_FREEZE,
		.freeze = {.listed = paths != NULL, .nr_paths = nr_paths},
	};
	const struct monitor_pending new = {.answer = fn, .data = data};
	const char *reason;
	int err;

	reason = cannot_ask(client, &client->freeze, &err);
	if (reason) {
		fn(data, err, 0, reason);
		return;
	}
	err = monitor_queue_check_paths(paths, nr_paths);
	if (err) {
		fn(data, err, 0,
		   err == -E2BIG ? "too many mount points"
				 : "a mount point is too long");
		return;
	}
	client->loss[0] = '\0';
	err = monitor_queue_add_paths(&client->out, paths, nr_paths);
	if (!err)
		err = ask(client, &client->freeze, &request, &new);
	if (!err)
		return;
	/* half a list must not become the start of the next one */
	monitor_queue_drop(&client->out);
	fn(data, err, 0, "out of memory");
}

/* @new is answered here if it cannot be asked. */
static void ask_or_answer(struct monitor_client *client,
			  struct monitor_pending *pending,
			  struct ipc_request *request,
			  const struct monitor_pending *new)
{
	const char *reason;
	int err;

	reason = cannot_ask(client, pending, &err);
	if (!reason) {
		err = ask(client, pending, request, new);
		reason = "out of memory";
	}
	if (err)
		new->answer(new->data, err, 0, reason);
}

/* Of what the host has heard before: now for what it has asked meanwhile. */
static void loss_is_forgotten(void *data, int err, unsigned int count,
			      const char *text)
{
	struct monitor_client *client = data;
	const struct monitor_pending late = client->late_thaw;

	(void)err;
	(void)count;
	(void)text;
	client->late_thaw = (struct monitor_pending){0};
	if (late.answer)
		monitor_thaw(client, late.answer, late.data);
}

void monitor_thaw(struct monitor_client *client, monitor_answer_fn fn, void *data)
{
	struct ipc_request request = {.type = IPC_THAW};
	char loss[IPC_TEXT_MAX];
	const struct monitor_pending new = {.answer = fn, .data = data};

	if (client->state == IPC_THAWED && !client->freeze.id &&
	    has_loss(client)) {
		memcpy(loss, client->loss, sizeof(loss));
		client->loss[0] = '\0';
		client->loss_was_told = client->socket < 0;
		fn(data, -ESTALE, 0, loss);
		return;
	}
	if (client->thaw.answer == loss_is_forgotten && !client->late_thaw.answer)
		client->late_thaw = new;
	else
		ask_or_answer(client, &client->thaw, &request, &new);
}

void monitor_report(struct monitor_client *client, monitor_record_fn record,
		    monitor_answer_fn fn, void *data)
{
	struct ipc_request request = {.type = IPC_REPORT};
	const struct monitor_pending new = {
		.answer = fn,
		.data = data,
		.record = record,
	};

	ask_or_answer(client, &client->report, &request, &new);
}

void monitor_query(struct monitor_client *client, const struct query *query,
		   monitor_query_record_fn record, monitor_answer_fn fn,
		   void *data)
{
	struct ipc_request request = {.type = IPC_QUERY, .query = *query};
	const struct monitor_pending new = {
		.answer = fn,
		.data = data,
		.query_record = record,
		.topic = query->topic,
	};

	ask_or_answer(client, &client->query, &request, &new);
}

/* What the monitor has to tell the host, should it not live to do so. */
static void keep_loss(struct monitor_client *client, const char *text)
{
	snprintf(client->told_loss, sizeof(client->told_loss), "%s", text);
}

/* What the last monitor has left to this one to tell is what we know, too. */
static void take_over_loss(struct monitor_client *client)
{
	struct ipc_request request = {.type = IPC_THAW};
	const struct monitor_pending new = {
		.answer = loss_is_forgotten,
		.data = client,
	};

	if (client->state == IPC_LOST) {
		client->loss[0] = '\0';
		if (client->loss_was_told)
			ask(client, &client->thaw, &request, &new);
	}
	client->loss_was_told = false;
}

static void greeted(void *data, int err, unsigned int count, const char *text)
{
	struct monitor_client *client = data;
	char refusal[IPC_TEXT_MAX + 16];

	(void)count;
	if (err) {
		snprintf(refusal, sizeof(refusal), "it refuses us: %s", text);
		lose_monitor(client, refusal);
		return;
	}
	client->greeted = true;
	client->settled = true;
	client->thawing_by_itself = false;
	keep_loss(client, text);
	take_over_loss(client);
	monitor_retry_reset(&client->retry);
	arm_timer(client, 0);
	log_debug("kfreeze-monitor: connected");
}

static void greet(struct monitor_client *client)
{
	struct ipc_request request = {
		.type = IPC_HELLO,
		.version = IPC_VERSION,
	};
	const struct monitor_pending new = {.answer = greeted, .data = client};

	watch_socket(client, EPOLL_CTL_ADD);
	arm_timer(client, HELLO_LIMIT_MS);
	/* without memory the limit above ends it */
	ask(client, &client->hello, &request, &new);
}

static void try_connect(struct monitor_client *client)
{
	int fd = ipc_connect(client->path);

	if (fd >= 0) {
		client->socket = fd;
		greet(client);
		return;
	}
	if (!client->settled || client->thawing_by_itself)
		log_err("%s: cannot connect: %s", client->path, strerror(-fd));
	client->settled = true;
	client->thawing_by_itself = false;
	arm_timer(client, monitor_retry_delay_ms(&client->retry));
}

static void timer_expired(struct monitor_client *client)
{
	uint64_t expirations;

	if (read(client->timer, &expirations, sizeof(expirations)) < 0)
		return;
	if (client->socket >= 0 && !client->greeted)
		lose_monitor(client, "it does not answer");
	else if (client->socket < 0 && client->can_reconnect)
		try_connect(client);
	else
		client->thawing_by_itself = false;
}

static struct monitor_pending *find_pending(struct monitor_client *client,
					    uint32_t id)
{
	struct monitor_pending *all[] = {&client->hello, &client->freeze,
					 &client->thaw, &client->report,
					 &client->query};
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (id && all[i]->id == id)
			return all[i];
	}
	return NULL;
}

/* A monitor that claims success has to be in the state that this leads to. */
static bool fits(const struct monitor_client *client,
		 const struct monitor_pending *pending,
		 const struct ipc_reply *reply)
{
	switch (reply->type) {
	case IPC_RECORD:
		return pending == &client->report;
	case IPC_QUERY_RECORD:
		return pending == &client->query;
	default:
		if (reply->err)
			return true;
		if (pending == &client->freeze)
			return reply->state ==
			       (reply->count ? IPC_FROZEN : IPC_THAWED);
		return pending != &client->thaw || reply->state == IPC_THAWED;
	}
}

/* The state is believed only of a message that makes sense: a freeze must not
 * be forgotten for one that does not. */
static int take_reply(struct monitor_client *client, const struct ipc_reply *reply)
{
	struct monitor_pending *pending = NULL;

	if (reply->type != IPC_STATE_CHANGED) {
		pending = find_pending(client, reply->id);
		if (!pending || !fits(client, pending, reply))
			return -EPROTO;
	}
	client->state = reply->state;
	switch (reply->type) {
	case IPC_STATE_CHANGED:
		keep_loss(client, reply->text);
		return 0;
	case IPC_RECORD:
		return monitor_pending_take_report(pending, &reply->record);
	case IPC_QUERY_RECORD:
		return monitor_pending_take_query(pending, &reply->query_record);
	default:
		monitor_pending_answer(pending, reply->err, reply->count,
				       reply->text);
		return 0;
	}
}

static void read_socket(struct monitor_client *client)
{
	struct ipc_reply reply;
	int err = 0;

	while (!err && client->socket >= 0) {
		err = ipc_receive_reply(client->socket, &reply);
		if (!err)
			err = take_reply(client, &reply);
	}
	if (!err || err == -EAGAIN)
		return;
	lose_monitor(client, err == -EPIPE    ? "it closed the connection"
			     : err == -EPROTO ? "it sent what we do not understand"
					      : strerror(-err));
}

void monitor_client_dispatch(struct monitor_client *client)
{
	struct epoll_event events[2];
	int i, nr;

	nr = epoll_wait(client->epoll, events, 2, 0);
	for (i = 0; i < nr; i++) {
		if (events[i].data.fd == client->timer) {
			timer_expired(client);
			return; /* the socket may be another one now */
		}
		if (events[i].events & EPOLLOUT)
			send_outgoing(client);
		if (events[i].events & ~EPOLLOUT)
			read_socket(client);
	}
}

struct monitor_client *monitor_client_new(const char *path, int fd,
					  const struct config *config)
{
	struct monitor_client *client = calloc(1, sizeof(*client));
	struct epoll_event event = {.events = EPOLLIN};

	if (!client)
		return NULL;
	client->path = path;
	client->config = config;
	client->can_reconnect = fd < 0;
	client->socket = fd;
	client->epoll = epoll_create1(EPOLL_CLOEXEC);
	client->timer = timerfd_create(CLOCK_MONOTONIC,
				       TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = client->timer;
	if (client->epoll < 0 || client->timer < 0 ||
	    epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->timer, &event)) {
		monitor_client_free(client);
		return NULL;
	}
	if (fd < 0)
		try_connect(client);
	else
		greet(client);
	return client;
}

void monitor_client_free(struct monitor_client *client)
{
	if (!client)
		return;
	client->greeted = false; /* nothing can be asked any more */
	monitor_pending_answer(&client->freeze, -ESHUTDOWN, 0, STOPPING);
	monitor_pending_answer(&client->thaw, -ESHUTDOWN, 0, STOPPING);
	monitor_pending_answer(&client->report, -ESHUTDOWN, 0, STOPPING);
	monitor_pending_answer(&client->query, -ESHUTDOWN, 0, STOPPING);
	monitor_queue_drop(&client->out);
	if (client->socket >= 0)
		close(client->socket);
	if (client->timer >= 0)
		close(client->timer);
	if (client->epoll >= 0)
		close(client->epoll);
	free(client);
}
