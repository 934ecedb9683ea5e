// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of the agent -> cycles, and their results -> answers. Keeps the
 * truth that a host has yet to hear: a lost freeze, until it asks to thaw.
 */
#include "monitor.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "config.h"
#include "cycle.h"
#include "ipc.h"
#include "log.h"
#include "loss.h"
#include "monitor_admin.h"
#include "monitor_link.h"
#include "privdrop.h"
#include "query_process.h"
#include "report.h"
#include "status.h"

#define USEC_PER_MSEC 1000ULL
#define STATUS_DELAY_MS 20

/* A request that is answered later. */
struct pending {
	bool waits;
	uint32_t id;
};

static struct {
	sd_event *event;
	struct config *config;
	bool greeted; /* IPC_HELLO was received */
	sd_event_source *lost_ttl, *status_delay;
	/* of the agent's requests */
	struct pending freeze, thaw, report, query;
	size_t next_record; /* of the report being sent */
	char *paths[IPC_MAX_PATHS]; /* for the next IPC_FREEZE */
	size_t nr_paths;
	struct cycle_request request; /* of the cycle, or the one that waits */
	char **request_paths;
	bool freeze_is_queued; /* until the lost cycle's thaw hooks are done */
	enum ipc_state told; /* the agent's idea of the state */
	bool stopping;
	bool reload_is_due; /* once idle: a cycle ends as it began */
} state;

static enum ipc_state current_state(void)
{
	enum cycle_phase phase = cycle_phase();

	if (loss_is_untold())
		return IPC_LOST;
	if (phase == CYCLE_IDLE)
		return IPC_THAWED;
	if (phase == CYCLE_FROZEN)
		return IPC_FROZEN;
	/* what is rolled back was never frozen for the host */
	return state.freeze.waits || phase < CYCLE_FROZEN ? IPC_FREEZING
							  : IPC_THAWING;
}

static void send_reply(struct ipc_reply *reply)
{
	reply->state = current_state();
	state.told = reply->state;
	monitor_link_send(reply);
}

static void answer(uint32_t id, int err, unsigned int count, const char *text)
{
	struct ipc_reply reply;

	ipc_fill_answer(&reply, id, err, count, text);
	send_reply(&reply);
}

/* A request that was waiting; nobody waits any more if the agent is gone. */
static void answer_pending(struct pending *pending, int err, unsigned int count,
			   const char *text)
{
	if (!pending->waits)
		return;
	pending->waits = false;
	answer(pending->id, err, count, text);
}

/* Not before the freeze, and not just when the agent is about to answer the
 * thaw: systemd tells the whole bus, which keeps a small machine's CPUs busy.
 * kfreezed's status tells what is under way. */
static void notify_status(void)
{
	sd_event_source_set_time_relative(state.status_delay,
					  STATUS_DELAY_MS * USEC_PER_MSEC);
	sd_event_source_set_enabled(state.status_delay, SD_EVENT_ONESHOT);
}

static int on_status_delay(sd_event_source *source, uint64_t usec, void *unused)
{
	(void)source;
	(void)usec;
	(void)unused;
	if (cycle_phase() == CYCLE_IDLE)
		status_tell_cycle();
	return 0;
}

static void tell_state(void)
{
	struct ipc_reply reply;

	if (cycle_phase() == CYCLE_IDLE)
		notify_status();
	if (state.told == current_state() || !state.greeted)
		return;
	memset(&reply, 0, sizeof(reply));
	reply.type = IPC_STATE_CHANGED;
	snprintf(reply.text, sizeof(reply.text), "%s", loss_text());
	send_reply(&reply);
}

static void forget_lost(void)
{
	loss_forget();
	sd_event_source_set_enabled(state.lost_ttl, SD_EVENT_OFF);
}

static int on_lost_ttl(sd_event_source *source, uint64_t usec, void *unused)
{
	(void)source;
	(void)usec;
	(void)unused;
	forget_lost();
	tell_state();
	return 0;
}

static void limit_loss(void)
{
	sd_event_source_set_time_relative(
		state.lost_ttl, state.config->lost_ttl_ms * USEC_PER_MSEC);
	sd_event_source_set_enabled(state.lost_ttl, SD_EVENT_ONESHOT);
}

static void on_lost(const char *reason)
{
	loss_set(state.config->timeout_ms, reason);
	limit_loss();
	tell_state();
}

static void on_frozen(unsigned int count)
{
	loss_expect(state.config->timeout_ms);
	answer_pending(&state.freeze, 0, count, "");
	tell_state();
}

static void free_paths(char **paths, size_t nr)
{
	while (nr)
		free(paths[--nr]);
}

static void free_request(void)
{
	free_paths(state.request_paths, state.request.nr_paths);
	free(state.request_paths);
	state.request_paths = NULL;
	state.request = (struct cycle_request){0};
}

static void start_cycle(void)
{
	state.freeze_is_queued = false;
	forget_lost();
	/* it may write, or not come back from what is frozen */
	query_process_stop(-ECANCELED, "a freeze is under way");
	cycle_freeze(&state.request);
	tell_state();
}

static void exit_if_done(void)
{
	if (state.stopping && cycle_phase() == CYCLE_IDLE)
		sd_event_exit(state.event, 0);
}

static void reload_if_idle(void)
{
	if (!state.reload_is_due || cycle_phase() != CYCLE_IDLE)
		return;
	state.reload_is_due = false;
	if (!config_reload(state.config))
		cycle_configure();
}

/* Who waits for the thaw hears whether the freeze was lost. */
static void settle_thaw(unsigned int count)
{
	char text[LOSS_TEXT_MAX];
	int err;

	if (!state.thaw.waits)
		return;
	err = loss_is_untold() ? -ESTALE : 0;
	snprintf(text, sizeof(text), "%s", loss_text());
	forget_lost();
	answer_pending(&state.thaw, err, err ? 0 : count, text);
}

/* The one who waits for the freeze hears of a failure; else the one who waits
 * for the thaw, now or later. A thaw that was asked for before the next freeze
 * is none of that one's. */
static void on_decided(const struct cycle_result *result)
{
	if (state.freeze.waits && !state.freeze_is_queued) {
		forget_lost();
		answer_pending(&state.freeze, result->err, 0, result->text);
		answer_pending(&state.thaw, 0, 0, "");
	} else {
		settle_thaw(result->count);
	}
}

static void on_over(const struct cycle_result *result)
{
	status_cycle(result->err, result->count, result->text);
	reload_if_idle();
	if (state.freeze_is_queued) {
		start_cycle();
		return;
	}
	free_request();
	tell_state();
	exit_if_done();
}

static const struct cycle_events cycle_events = {
	.frozen = on_frozen,
	.lost = on_lost,
	.decided = on_decided,
	.over = on_over,
};

/* --- requests; the return value ends the connection --- */

static int answer_hello(const struct ipc_request *request)
{
	if (state.greeted)
		return -EPROTO;
	if (request->version != IPC_VERSION) {
		answer(request->id, -EPROTONOSUPPORT, 0,
		       "kfreezed and kfreeze-monitor are of different versions");
		return -EPROTONOSUPPORT;
	}
	state.greeted = true;
	answer(request->id, 0, 0, loss_text());
	return 0;
}

static int answer_add_paths(const struct ipc_request *request)
{
	const char *path = request->paths.text;
	const char *end = path + request->paths.size;

	for (; path < end; path += strlen(path) + 1) {
		if (state.nr_paths == IPC_MAX_PATHS)
			return -EPROTO;
		state.paths[state.nr_paths] = strdup(path);
		if (!state.paths[state.nr_paths])
			return -ENOMEM;
		state.nr_paths++;
	}
	return 0;
}

/* The paths added become those of the next cycle. */
static int take_paths(const struct ipc_request *request)
{
	size_t nr = state.nr_paths;
	char **paths;

	if (nr != request->freeze.nr_paths)
		return -EPROTO;
	paths = malloc((nr + 1) * sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	memcpy(paths, state.paths, nr * sizeof(*paths));
	state.nr_paths = 0;
	state.request_paths = paths;
	state.request.paths = paths;
	state.request.nr_paths = nr;
	state.request.listed = request->freeze.listed;
	return 0;
}

static int answer_freeze(const struct ipc_request *request)
{
	int err;

	if (state.freeze.waits || state.freeze_is_queued || state.stopping ||
	    (cycle_phase() != CYCLE_IDLE && !loss_is_untold())) {
		free_paths(state.paths, state.nr_paths);
		state.nr_paths = 0;
		answer(request->id, -EBUSY, 0, "a freeze is under way");
		return 0;
	}
	free_request();
	err = take_paths(request);
	if (err)
		return err;
	state.freeze = (struct pending){.waits = true, .id = request->id};
	if (cycle_phase() == CYCLE_IDLE)
		start_cycle();
	else
		state.freeze_is_queued = true;
	return 0;
}

static int answer_thaw(const struct ipc_request *request)
{
	if (state.thaw.waits) {
		answer(request->id, -EALREADY, 0, "a thaw is under way");
		return 0;
	}
	if (state.freeze_is_queued) {
		state.freeze_is_queued = false;
		answer_pending(&state.freeze, -ECANCELED, 0,
			       "freeze was aborted by guest-fsfreeze-thaw");
	}
	state.thaw = (struct pending){.waits = true, .id = request->id};
	if (cycle_phase() != CYCLE_IDLE)
		cycle_thaw("freeze was aborted by guest-fsfreeze-thaw");
	else
		on_decided(&(struct cycle_result){.text = ""});
	tell_state();
	return 0;
}

/* Records go out as the agent takes them, and leave room in the socket for
 * whatever else it has to be told. */
static void send_records(void)
{
	const struct report_record *record;
	struct ipc_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.type = IPC_RECORD;
	reply.id = state.report.id;
	while (state.report.waits && monitor_link_has_room()) {
		record = report_get(state.next_record++);
		if (!record) {
			answer_pending(&state.report, 0, 0, "");
			return;
		}
		reply.record = *record;
		reply.state = state.told;
		monitor_link_send(&reply);
	}
}

static int answer_report(const struct ipc_request *request)
{
	if (state.report.waits)
		return -EPROTO;
	state.report = (struct pending){.waits = true, .id = request->id};
	state.next_record = 0;
	send_records();
	return 0;
}

static void send_query_record(const struct query_record *record)
{
	struct ipc_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.type = IPC_QUERY_RECORD;
	reply.id = state.query.id;
	reply.query_record = *record;
	reply.state = state.told;
	monitor_link_send(&reply);
}

static void on_query_over(int err, const char *text)
{
	answer_pending(&state.query, err, 0, text);
}

static const struct query_events query_events = {
	.has_room = monitor_link_has_room,
	.record = send_query_record,
	.over = on_query_over,
};

static int answer_query(const struct ipc_request *request)
{
	if (state.query.waits)
		return -EPROTO;
	if (cycle_phase() != CYCLE_IDLE || state.stopping) {
		answer(request->id, -EBUSY, 0, "a freeze is under way");
		return 0;
	}
	state.query = (struct pending){.waits = true, .id = request->id};
	query_process_start(&request->query);
	return 0;
}

/* There is room again. */
static void send_more(void)
{
	send_records();
	query_process_resume();
}

static int serve(const struct ipc_request *request)
{
	if (!state.greeted && request->type != IPC_HELLO)
		return -EPROTO;
	switch (request->type) {
	case IPC_HELLO:
		return answer_hello(request);
	case IPC_ADD_PATHS:
		return answer_add_paths(request);
	case IPC_FREEZE:
		return answer_freeze(request);
	case IPC_THAW:
		return answer_thaw(request);
	case IPC_REPORT:
		return answer_report(request);
	case IPC_QUERY:
		return answer_query(request);
	default:
		answer(request->id, 0, 0, loss_text());
		return 0;
	}
}

/* --- the connection --- */

/* One that has not begun. */
static void cancel_queued_freeze(const char *reason)
{
	if (!state.freeze_is_queued)
		return;
	state.freeze_is_queued = false;
	answer_pending(&state.freeze, -ECANCELED, 0, reason);
	free_request();
}

static void stop(const char *reason)
{
	state.stopping = true;
	cancel_queued_freeze(reason);
	if (state.freeze.waits)
		cycle_thaw(reason);
	else
		cycle_lose(reason);
	exit_if_done();
}

/* Nobody can ask for the thaw any more. A freeze the host may believe in is
 * lost, and so is one whose answer is still to come. */
static void on_agent_gone(const char *reason)
{
	state.greeted = false;
	free_paths(state.paths, state.nr_paths);
	state.nr_paths = 0;
	state.freeze.waits = state.thaw.waits = state.report.waits = false;
	cancel_queued_freeze(reason);
	query_process_stop(-ECONNRESET, reason);
	cycle_lose(reason);
	if (!monitor_link_listens())
		stop(reason);
}

static const struct monitor_link_ops link_ops = {
	.request = serve,
	.room = send_more,
	.gone = on_agent_gone,
};

static int on_signal(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *unused)
{
	(void)source;
	(void)unused;
	if (info->ssi_signo == SIGHUP) {
		state.reload_is_due = true;
		reload_if_idle();
		return 0;
	}
	sd_notify(0, "STOPPING=1");
	stop("kfreeze-monitor was stopped");
	return 0;
}

static int add_signals(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	sigset_t mask;
	size_t i;
	int err;

	sigemptyset(&mask);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&mask, signals[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		err = sd_event_add_signal(state.event, NULL, signals[i],
					  on_signal, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

static int set_up(int listen_fd, int agent_fd, int admin_fd)
{
	const struct passwd *user = getpwnam(PRIVDROP_USER);
	int err;

	err = sd_event_default(&state.event);
	if (err < 0)
		return err;
	err = add_signals();
	if (err < 0)
		return err;
	err = sd_event_add_time(state.event, &state.lost_ttl, CLOCK_MONOTONIC,
				0, 0, on_lost_ttl, NULL);
	if (err < 0)
		return err;
	err = sd_event_add_time(state.event, &state.status_delay,
				CLOCK_MONOTONIC, 0, 1000, on_status_delay, NULL);
	if (err < 0)
		return err;
	if (!state.config->private)
		loss_init(LOSS_FILE);
	if (loss_is_untold())
		limit_loss();
	else
		sd_event_source_set_enabled(state.lost_ttl, SD_EVENT_OFF);
	err = cycle_init(state.event, state.config, &cycle_events);
	if (!err && state.config->backend == CONFIG_BACKEND_KMOD)
		err = privdrop_owner();
	if (err < 0)
		return err;
	query_process_init(state.event, &query_events);
	if (admin_fd >= 0)
		err = monitor_admin_init(state.event, admin_fd, current_state);
	if (err < 0)
		return err;
	return monitor_link_init(state.event, &link_ops,
				 user ? user->pw_uid : 0, listen_fd, agent_fd);
}

int monitor_run(struct config *config, int listen_fd, int agent_fd, int admin_fd)
{
	int err;

	state.config = config;
	err = set_up(listen_fd, agent_fd, admin_fd);
	if (err < 0)
		return err;
	sd_notify(0, "READY=1");
	notify_status();
	err = sd_event_loop(state.event);
	return err < 0 ? err : 0;
}
