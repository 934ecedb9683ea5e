// SPDX-License-Identifier: GPL-2.0
/*
 * The order of a cycle. Every step starts something and returns; the next one
 * comes from the event loop. From freezer_freeze() to its last notice nothing
 * is opened, executed, logged or written.
 */
#include "cycle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "config.h"
#include "cycle_report.h"
#include "cycle_verdict.h"
#include "freezer.h"
#include "hook_list.h"
#include "hook_record.h"
#include "hooks.h"
#include "log.h"
#include "mounts.h"
#include "stuck.h"

#define USEC_PER_MSEC 1000ULL
#define HOOK_GRACE_MS 2000
#define HOOK_BACKGROUND_MS 5000
/* How long a backend may stay silent after its own deadline. */
#define FREEZE_MARGIN_MS 5000
#define FROZEN_MARGIN_MS 1000
#define THAW_MARGIN_MS 10000
/* The module wants a pause between cycles; a host may not know of it. */
#define RETRY_MS 10
#define RETRY_LIMIT_MS 5000

static struct {
	sd_event *event;
	const struct config *config;
	const struct cycle_events *events;
	sd_event_source *deadline;
	enum cycle_phase phase;
	uint32_t id;
	struct cycle_request request;
	struct mounts mounts;
	struct freezer_target *targets; /* one for each of mounts' */
	struct cycle_result result;
	char text[CYCLE_TEXT_MAX];
	bool decided; /* the result is: it is only waited for the thaw */
	bool was_frozen;
	bool records_are_due; /* the freezer's, of targets */
	uint64_t retry_until_ms; /* while the freezer wants a pause, or 0 */
} state;

enum cycle_phase cycle_phase(void)
{
	return state.phase;
}

/* The first decision stands: what comes later is only its consequence. */
__attribute__((format(printf, 3, 4))) static void
decide(enum report_verdict verdict, int err, const char *fmt, ...)
{
	va_list args;

	if (state.decided)
		return;
	state.decided = true;
	state.result.verdict = verdict;
	state.result.err = err;
	va_start(args, fmt);
	vsnprintf(state.text, sizeof(state.text), fmt, args);
	va_end(args);
	if (verdict == REPORT_LOST)
		state.events->lost(state.text);
}

static void set_deadline(uint64_t msec)
{
	sd_event_source_set_time_relative(state.deadline, msec * USEC_PER_MSEC);
	sd_event_source_set_enabled(state.deadline, SD_EVENT_ONESHOT);
}

static void clear_deadline(void)
{
	sd_event_source_set_enabled(state.deadline, SD_EVENT_OFF);
}

/* --- the end --- */

static void free_targets(void)
{
	free(state.targets);
	state.targets = NULL;
	mounts_free(&state.mounts);
}

static const char *outcome_name(void)
{
	switch (state.result.verdict) {
	case REPORT_OK:
		return "ok";
	case REPORT_LOST:
		return "lost";
	default:
		return "aborted";
	}
}

static void log_result(void)
{
	unsigned long long hold_ms = cycle_report_hold_ns() / 1000000;
	char fields[160];

	snprintf(fields, sizeof(fields),
		 "KFREEZE_ID=%u\nKFREEZE_OUTCOME=%s\nKFREEZE_COUNT=%u\n"
		 "KFREEZE_HOLD_MS=%llu",
		 state.id, outcome_name(), state.result.count, hold_ms);
	if (state.result.verdict == REPORT_LOST)
		log_with(LOG_ERR, fields, "the freeze was lost: %s", state.text);
	else if (state.result.err)
		log_with(LOG_ERR, fields, "%s", state.text);
	else if (state.was_frozen)
		log_with(LOG_INFO, fields,
			 "%u filesystems were frozen for %llu ms",
			 state.result.count, hold_ms);
}

static void take_records(void)
{
	if (state.records_are_due &&
	    !freezer_records(state.targets, state.mounts.nr_targets)) {
		cycle_report_targets(state.targets, state.mounts.nr_targets);
		stuck_tell(&state.mounts, state.targets);
	}
	state.records_are_due = false;
}

/* Who waits can rely on it that the module is let go of, and does not wait for
 * the log. */
static void end_cycle(void)
{
	take_records();
	freezer_release();
	state.phase = CYCLE_IDLE;
	state.events->decided(&state.result);
	log_release();
	log_result();
	cycle_report_verdict(state.result.verdict, state.text);
	free_targets();
	state.events->over(&state.result);
}

/* Everything is thawed, or was never frozen. */
static void run_thaw_hooks(void)
{
	clear_deadline();
	decide(REPORT_OK, 0, "%s", "");
	state.phase = CYCLE_THAW_HOOKS;
	if (hooks_exist()) { /* and may take long */
		log_release();
		take_records();
	}
	if (hooks_thaw(outcome_name()) < 0)
		end_cycle();
}

/* --- the freezer --- */

/* The backend ended the cycle by itself or because it was asked to. */
static void decide_over(const struct freezer_notice *notice)
{
	const struct cycle_verdict_of of = {
		.config = state.config,
		.mounts = &state.mounts,
		.targets = state.targets,
		.was_frozen = state.was_frozen,
	};
	struct cycle_verdict verdict;

	if (notice->verdict == KFREEZE_VERDICT_OK)
		return;
	cycle_verdict_over(&verdict, &of, notice);
	decide(verdict.verdict, verdict.err, "%s", verdict.text);
}

static void on_freezer_over(const struct freezer_notice *notice)
{
	cycle_report_thawed();
	state.records_are_due = true;
	if (notice->verdict != KFREEZE_VERDICT_OK)
		take_records();
	decide_over(notice);
	state.result.count = notice->nr_frozen;
	run_thaw_hooks();
}

static bool freezer_is_busy(void)
{
	return state.phase == CYCLE_FREEZING || state.phase == CYCLE_FROZEN ||
	       state.phase == CYCLE_THAWING;
}

void cycle_update_report(void)
{
	if (freezer_is_busy() && !state.retry_until_ms &&
	    !freezer_records(state.targets, state.mounts.nr_targets))
		cycle_report_targets(state.targets, state.mounts.nr_targets);
}

/* No word of the backend any more: let go of it, upon which it thaws. */
static void give_up_on_freezer(const char *reason)
{
	freezer_abandon();
	if (!freezer_is_busy())
		return;
	cycle_report_thawed();
	if (state.was_frozen)
		decide(REPORT_LOST, -ESTALE, "%s", reason);
	else
		decide(REPORT_FAILED, -ETIMEDOUT,
		       "freeze: %s; everything was rolled back", reason);
	run_thaw_hooks();
}

static void thaw(void)
{
	switch (state.phase) {
	case CYCLE_FREEZE_HOOKS:
		hooks_stop();
		break;
	case CYCLE_FREEZING:
	case CYCLE_FROZEN:
		if (state.retry_until_ms) {
			state.retry_until_ms = 0;
			run_thaw_hooks();
			break;
		}
		state.phase = CYCLE_THAWING;
		set_deadline(THAW_MARGIN_MS);
		if (freezer_thaw())
			give_up_on_freezer("the freezer did not take the thaw");
		break;
	default:
		break;
	}
}

/* There is nothing to hold if no filesystem could be frozen. */
static void on_freezer_frozen(const struct freezer_notice *notice)
{
	if (state.phase != CYCLE_FREEZING || state.decided)
		return;
	if (!notice->nr_frozen) {
		decide(REPORT_OK, 0, "%s", "");
		thaw();
		return;
	}
	cycle_report_frozen();
	state.phase = CYCLE_FROZEN;
	state.was_frozen = true;
	set_deadline(state.config->timeout_ms + FROZEN_MARGIN_MS);
	state.events->frozen(notice->nr_frozen);
}

static int on_freezer(sd_event_source *source, int fd, uint32_t events,
		      void *unused)
{
	struct freezer_notice notice;
	int err;

	(void)source;
	(void)fd;
	(void)events;
	(void)unused;
	while (!(err = freezer_dispatch(&notice))) {
		if (!freezer_is_busy())
			continue;
		if (notice.state == KFREEZE_STATE_FROZEN)
			on_freezer_frozen(&notice);
		else
			on_freezer_over(&notice);
	}
	if (err != -EAGAIN)
		give_up_on_freezer("the kernel module does not answer");
	return 0;
}

/* --- the freeze --- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* True if the freezer was too busy and will be asked again. */
static bool retry_later(int err)
{
	uint64_t now = now_ms();

	if (err == -EAGAIN && !state.retry_until_ms)
		state.retry_until_ms = now + RETRY_LIMIT_MS;
	if (err == -EAGAIN && now < state.retry_until_ms) {
		set_deadline(RETRY_MS);
		return true;
	}
	state.retry_until_ms = 0;
	return false;
}

static void start_freezer(void)
{
	struct freezer_request request = {
		.targets = state.targets,
		.nr_targets = state.mounts.nr_targets,
		.timeout_ms = state.config->timeout_ms,
		.flush_timeout_ms = state.config->flush_timeout_ms,
		.accept_foreign = state.config->foreign_freeze ==
				  CONFIG_FOREIGN_ACCEPT,
	};
	struct cycle_verdict verdict;
	int err;

	state.phase = CYCLE_FREEZING;
	log_hold();
	err = freezer_freeze(&request);
	if (retry_later(err))
		return;
	cycle_report_backend(freezer_name(), freezer_weaker(),
			     request.timeout_ms);
	mounts_close(&state.mounts);
	if (err) {
		cycle_verdict_refused(&verdict, &state.mounts, &request, err);
		decide(verdict.verdict, verdict.err, "%s", verdict.text);
		run_thaw_hooks();
		return;
	}
	set_deadline((uint64_t)state.config->flush_timeout_ms +
		     state.config->timeout_ms + FREEZE_MARGIN_MS);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *unused)
{
	(void)source;
	(void)usec;
	(void)unused;
	if (state.retry_until_ms)
		start_freezer();
	else
		give_up_on_freezer("the freezer did not answer in time");
	return 0;
}

static int fill_targets(void)
{
	size_t i;

	state.targets = calloc(state.mounts.nr_targets, sizeof(*state.targets));
	if (!state.targets) {
		decide(REPORT_FAILED, -ENOMEM, "freeze: out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < state.mounts.nr_targets; i++) {
		state.targets[i].fd = state.mounts.targets[i].fd;
		state.targets[i].level = state.mounts.targets[i].level;
		state.targets[i].disk = state.mounts.targets[i].disk;
		state.targets[i].dev = state.mounts.targets[i].dev;
	}
	return 0;
}

static int read_mounts(char text[MOUNTS_TEXT_MAX])
{
	struct mounts_query query = mounts_query_system;

	query.exclude = state.config->exclude;
	query.strict = state.config->strict;
	query.listed = state.request.listed;
	query.paths = state.request.paths;
	query.nr_paths = state.request.nr_paths;
	return mounts_read(&state.mounts, &query, text);
}

/* Hooks may have mounted and unmounted. */
static int read_mounts_again(char text[MOUNTS_TEXT_MAX])
{
	if (!hooks_exist())
		return 0;
	mounts_free(&state.mounts);
	return read_mounts(text);
}

static int open_mounts(void)
{
	char text[MOUNTS_TEXT_MAX];
	int err;

	err = read_mounts_again(text);
	if (!err)
		err = mounts_open(&state.mounts, text);
	if (err)
		decide(REPORT_FAILED, err, "%s; nothing was frozen", text);
	cycle_report_mounts(&state.mounts);
	return err;
}

static void on_hooks_done(void *unused, int err, const char *text)
{
	(void)unused;
	if (state.phase == CYCLE_THAW_HOOKS) {
		end_cycle();
		return;
	}
	if (err)
		decide(err == -ECANCELED ? REPORT_ABORTED : REPORT_FAILED, err,
		       "%s; nothing was frozen", text);
	if (state.decided || open_mounts() || !state.mounts.nr_targets ||
	    fill_targets())
		run_thaw_hooks();
	else
		start_freezer();
}

/* A first look at the mount table: what cannot be done fails before any hook
 * runs, and hooks are told what it is about. */
static void run_freeze_hooks(void)
{
	struct hooks_cycle cycle = {
		.id = state.id,
		.timeout_ms = state.config->timeout_ms,
		.mounts = &state.mounts,
	};
	char text[MOUNTS_TEXT_MAX];
	int err;

	err = read_mounts(text);
	if (err)
		decide(REPORT_FAILED, err, "%s; nothing was frozen", text);
	if (err || !state.mounts.nr_targets) {
		run_thaw_hooks(); /* of which there are none */
		return;
	}
	err = hooks_freeze(&cycle);
	if (err >= 0)
		return;
	decide(REPORT_FAILED, err, "hooks: %s; nothing was frozen",
	       strerror(-err));
	run_thaw_hooks();
}

void cycle_freeze(const struct cycle_request *request)
{
	report_start(++state.id);
	state.request = *request;
	state.result = (struct cycle_result){.text = state.text};
	state.decided = state.was_frozen = false;
	*state.text = '\0';
	state.phase = CYCLE_FREEZE_HOOKS;
	run_freeze_hooks();
}

void cycle_thaw(const char *reason)
{
	if (state.phase == CYCLE_FREEZE_HOOKS || state.phase == CYCLE_FREEZING)
		decide(REPORT_ABORTED, -ECANCELED, "%s", reason);
	thaw();
}

void cycle_lose(const char *reason)
{
	if (state.phase == CYCLE_IDLE || state.phase > CYCLE_FROZEN)
		return;
	decide(REPORT_LOST, -ESTALE, "%s", reason);
	thaw();
}

void cycle_configure(void)
{
	const struct config *config = state.config;
	const struct hooks_settings hooks = {
		.directories = hook_list_directories,
		.script = config->fsfreeze_hook,
		.log_path = HOOKS_LOG,
		.timeout_ms = config->hook_timeout_ms,
		.budget_ms = config->hook_budget_ms,
		.grace_ms = HOOK_GRACE_MS,
		.background_ms = HOOK_BACKGROUND_MS,
		.abort_on_failure = config->hook_policy == CONFIG_HOOK_ABORT,
		.ran = cycle_report_hook,
		.done = on_hooks_done,
	};

	hooks_init(state.event, &hooks);
}

/* Its filesystems were thawed before we got here; its hooks were not. */
static void recover_hooks(void)
{
	int err = hook_record_open(HOOK_RECORD);

	if (err)
		log_warn(HOOK_RECORD ": cannot open: %s", strerror(-err));
	if (!hooks_recover())
		return;
	report_start(++state.id);
	state.result = (struct cycle_result){
		.verdict = REPORT_LOST,
		.err = -ESTALE,
		.text = state.text,
	};
	strcpy(state.text, "kfreeze-monitor was killed");
	state.decided = true;
	state.phase = CYCLE_THAW_HOOKS;
}

int cycle_init(sd_event *event, const struct config *config,
	       const struct cycle_events *events)
{
	int err;

	state.event = event;
	state.config = config;
	state.events = events;
	/* hooks tell cycles apart by it, also after a restart */
	state.id = time(NULL);
	cycle_configure();
	err = freezer_init(config->backend == CONFIG_BACKEND_KMOD);
	if (err)
		return err;
	err = sd_event_add_io(event, NULL, freezer_fd(), EPOLLIN, on_freezer,
			      NULL);
	if (err < 0)
		return err;
	err = sd_event_add_time(event, &state.deadline, CLOCK_MONOTONIC, 0,
				1000, on_deadline, NULL);
	if (err < 0)
		return err;
	clear_deadline();
	recover_hooks();
	return 0;
}
