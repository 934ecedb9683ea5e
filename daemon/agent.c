// SPDX-License-Identifier: GPL-2.0
/*
 * One loop, nothing in it waits: bytes of the host go to the protocol, its
 * questions to the monitor, answers back. Runs without any privilege.
 */
#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "channel.h"
#include "config.h"
#include "log.h"
#include "monitor_client.h"
#include "qga.h"
#include "status.h"

struct agent {
	struct config *config;
	sd_event *loop;
	struct channel *channel;
	struct monitor_client *monitor;
	struct qga *qga;
	bool listening; /* to the host */
	bool reload_is_due; /* when it is safe to open a file */
};

/* After every event: is it still, or no longer, safe to write and to open? */
static void follow_state(struct agent *agent)
{
	bool frozen = monitor_client_may_be_frozen(agent->monitor);
	enum ipc_state now = monitor_state(agent->monitor);

	channel_hold(agent->channel, frozen);
	if (!frozen || now == IPC_FREEZING)
		status_tell(now);
	if (frozen) {
		log_hold();
		return;
	}
	log_release();
	if (agent->reload_is_due) {
		agent->reload_is_due = false;
		config_reload(agent->config);
	}
}

static int channel_ready(sd_event_source *source, int fd, uint32_t events,
			 void *data)
{
	struct agent *agent = data;

	(void)source, (void)fd, (void)events;
	channel_dispatch(agent->channel);
	follow_state(agent);
	return 0;
}

/* Not before the state is known: a host that asks a restarted agent whether it
 * is frozen must not be told "thawed" for want of knowing. */
static int listen_to_host(struct agent *agent)
{
	if (agent->listening || !monitor_client_is_settled(agent->monitor))
		return 0;
	agent->listening = true;
	return sd_event_add_io(agent->loop, NULL, channel_fd(agent->channel),
			       EPOLLIN, channel_ready, agent);
}

static int monitor_ready(sd_event_source *source, int fd, uint32_t events,
			 void *data)
{
	struct agent *agent = data;

	(void)source, (void)fd, (void)events;
	monitor_client_dispatch(agent->monitor);
	follow_state(agent);
	return listen_to_host(agent);
}

static void received(void *data, const char *bytes, size_t len)
{
	struct agent *agent = data;

	qga_receive(agent->qga, bytes, len);
}

static void detached(void *data, bool closed)
{
	struct agent *agent = data;

	if (closed)
		qga_forget_host(agent->qga);
	else
		qga_forget_input(agent->qga);
}

static const struct channel_ops channel_ops = {
	.received = received,
	.detached = detached,
};

static void reply(void *data, const char *bytes, size_t len)
{
	struct agent *agent = data;

	channel_send(agent->channel, bytes, len);
}

static void greeted(void *data)
{
	struct agent *agent = data;

	channel_greet(agent->channel);
}

static const struct qga_ops qga_ops = {
	.reply = reply,
	.greeted = greeted,
};

static int reload(sd_event_source *source, const struct signalfd_siginfo *info,
		  void *data)
{
	struct agent *agent = data;

	(void)source, (void)info;
	agent->reload_is_due = true;
	follow_state(agent);
	return 0;
}

/* SIGTERM and SIGINT end the loop; the monitor thaws when our socket closes. */
static int watch_signals(struct agent *agent)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return -errno;
	err = sd_event_add_signal(agent->loop, NULL, SIGTERM, NULL, NULL);
	if (err < 0)
		return err;
	err = sd_event_add_signal(agent->loop, NULL, SIGINT, NULL, NULL);
	if (err < 0)
		return err;
	return sd_event_add_signal(agent->loop, NULL, SIGHUP, reload, agent);
}

static int watch_everything(struct agent *agent)
{
	int err;

	err = sd_event_new(&agent->loop);
	if (err < 0)
		return err;
	err = watch_signals(agent);
	if (err < 0)
		return err;
	err = sd_event_add_io(agent->loop, NULL,
			      monitor_client_fd(agent->monitor), EPOLLIN,
			      monitor_ready, agent);
	if (err >= 0)
		err = listen_to_host(agent);
	if (err < 0)
		log_err("event loop: %s", strerror(-err));
	return err < 0 ? err : 0;
}

int agent_new(struct config *config, const struct channel_address *address,
	      struct monitor_client *monitor, struct agent **result)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int err;

	if (!agent) {
		monitor_client_free(monitor);
		return -ENOMEM;
	}
	agent->config = config;
	agent->monitor = monitor;
	agent->qga = qga_new(config, monitor, &qga_ops, agent);
	err = agent->qga ? 0 : -ENOMEM;
	if (!err)
		err = channel_open(address, &channel_ops, agent, &agent->channel);
	if (!err)
		err = watch_everything(agent);
	if (err) {
		agent_free(agent);
		return err;
	}
	*result = agent;
	return 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	sd_event_unref(agent->loop);
	/* first: a host that waits is told that nothing will come */
	monitor_client_free(agent->monitor);
	channel_close(agent->channel);
	qga_free(agent->qga);
	free(agent);
}

int agent_run(struct agent *agent)
{
	int err;

	/* a host that hangs up is an event, not our end */
	signal(SIGPIPE, SIG_IGN);
	sd_notify(0, "READY=1");
	err = sd_event_loop(agent->loop);
	if (err < 0)
		log_err("event loop: %s", strerror(-err));
	return err < 0 ? err : 0;
}
