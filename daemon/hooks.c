// SPDX-License-Identifier: GPL-2.0
/*
 * Running the hooks of a cycle, and the log that admins of the stock script
 * know: written before the freeze and after the thaw, never between.
 */
#include "hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "hook_environment.h"
#include "hook_list.h"
#include "log.h"

static struct {
	sd_event *event;
	struct hooks_settings settings;
	struct hook_list list;
	struct hook_environment environment;
	bool thawing; /* the phase */
	size_t next; /* the hook to run; when thawing, one past it */
	struct hook *hook; /* the one running */
	struct hook_process *process; /* of it */
	bool stopped;
	uint64_t budget_end_ms;
	int err;
	char text[HOOKS_TEXT_MAX];
} state;

static int run_next(void);

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

const char *hooks_phase_name(bool thawing)
{
	return thawing ? "thaw" : "freeze";
}

static const char *phase_name(void)
{
	return hooks_phase_name(state.thawing);
}

bool hooks_has_failed(const struct hooks_result *result)
{
	return result->exit.exit_code != 0 || result->exit.timed_out;
}

/* As date(1) prints it. */
static void print_date(int fd, time_t when)
{
	char date[64];
	struct tm tm;

	localtime_r(&when, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Z %Y", &tm);
	dprintf(fd, "%s: ", date);
}

static int open_log(void)
{
	return open(state.settings.log_path,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static void print_output(int fd, struct hook_process *process)
{
	const char *output;
	size_t len = hook_process_take(process, &output);

	if (!len)
		return;
	dprintf(fd, "%.*s%s", (int)len, output,
		output[len - 1] == '\n' ? "" : "\n");
}

/* A log that cannot be written is no reason to fail a freeze: the report and
 * the journal have it all. */
static void log_run(const char *path, struct hook_process *process,
		    const struct hook_exit *result)
{
	int fd = open_log();

	if (fd < 0)
		return;
	print_date(fd, hook_process_started(process));
	dprintf(fd, "execute %s %s\n", path, phase_name());
	print_output(fd, process);
	print_date(fd, time(NULL));
	if (result->timed_out)
		dprintf(fd, "%s timed out after %g s, killed\n", path,
			result->limit_ms / 1000.0);
	else
		dprintf(fd, "%s finished with status=%d\n", path,
			result->signal ? 128 + result->signal
				       : result->exit_code);
	close(fd);
}

/* What was left in the background has written since its hook ended. */
static void log_background(struct hook_process *process)
{
	int fd = process ? open_log() : -1;

	if (fd < 0)
		return;
	print_output(fd, process);
	close(fd);
}

static void tell_failure(const char *path, const struct hooks_result *result)
{
	char *text = state.text, fields[PATH_MAX + 64];

	if (result->exit.timed_out)
		snprintf(text, HOOKS_TEXT_MAX, "%s: %s hook timed out after %g s",
			 path, phase_name(), result->exit.limit_ms / 1000.0);
	else if (result->exit.signal)
		snprintf(text, HOOKS_TEXT_MAX,
			 "%s: %s hook was killed by signal %d", path,
			 phase_name(), result->exit.signal);
	else if (result->exit.exit_code < 0)
		snprintf(text, HOOKS_TEXT_MAX, "%s: %s hook did not run: %s",
			 path, phase_name(), result->line);
	else
		snprintf(text, HOOKS_TEXT_MAX, "%s: %s hook failed: status %d",
			 path, phase_name(), result->exit.exit_code);
	snprintf(fields, sizeof(fields),
		 "KFREEZE_HOOK=%s\nKFREEZE_HOOK_PHASE=%s\nKFREEZE_HOOK_STATUS=%d",
		 path, phase_name(), result->exit.exit_code);
	log_with(LOG_WARNING, fields, "%s", text);
}

static void tell(struct hook *hook, const struct hooks_result *result)
{
	bool failed = hooks_has_failed(result);

	if (failed && !state.stopped)
		tell_failure(hook->path, result);
	if (failed && !state.thawing && state.settings.abort_on_failure)
		state.err = -EIO;
	state.settings.ran(state.settings.data, result);
}

static void tell_not_run(struct hook *hook, const char *reason)
{
	struct hooks_result result = {
		.path = hook->path,
		.thawing = state.thawing,
		.exit = {.exit_code = -1},
	};

	snprintf(result.line, sizeof(result.line), "%s", reason);
	tell(hook, &result);
}

static int on_finish(sd_event_source *source, void *unused)
{
	(void)source;
	(void)unused;
	state.settings.done(state.settings.data, state.err,
			    state.err ? state.text : "");
	return 0;
}

/* Through the loop: the caller of this phase is not to be called back from
 * within its call. */
static int finish(void)
{
	size_t i;

	if (state.stopped)
		state.err = -ECANCELED;
	if (state.thawing) {
		for (i = 0; i < state.list.nr; i++) {
			log_background(state.list.hooks[i].freeze);
			hook_process_free(state.list.hooks[i].freeze);
		}
		hook_list_free(&state.list);
	}
	return sd_event_add_defer(state.event, NULL, on_finish, NULL);
}

static void on_ended(void *unused, const struct hook_exit *exit)
{
	struct hook *hook = state.hook;
	struct hook_process *process = state.process;
	struct hooks_result result = {
		.path = hook->path,
		.thawing = state.thawing,
		.exit = *exit,
	};

	(void)unused;
	state.process = NULL;
	if (!state.thawing && exit->exit_code == HOOKS_NOT_APPLICABLE) {
		hook->started = false;
		hook_process_free(process);
		run_next();
		return;
	}
	hook_process_last_line(process, result.line, sizeof(result.line));
	log_run(hook->path, process, exit);
	tell(hook, &result);
	if (state.thawing)
		hook_process_free(process);
	else
		hook->freeze = process;
	run_next();
}

static uint32_t limit_ms(uint32_t left_ms)
{
	if (state.thawing || state.settings.timeout_ms < left_ms)
		return state.settings.timeout_ms;
	return left_ms;
}

/* 0 if its end will be told by the loop. */
static int start(struct hook *hook)
{
	uint64_t now = now_ms();
	uint32_t left_ms = 0;
	int err;

	if (*hook->refusal) {
		tell_not_run(hook, hook->refusal);
		return -EPERM;
	}
	if (state.budget_end_ms > now)
		left_ms = state.budget_end_ms - now;
	if (!state.thawing && !left_ms) {
		tell_not_run(hook, "the time for all hooks was used up");
		return -ETIME;
	}
	state.hook = hook;
	hook->started = true;
	err = hook_process_start(&state.process, state.event,
				 &(struct hook_spec){
					 .path = hook->path,
					 .argument = phase_name(),
					 .environment = state.environment.variables,
					 .limit_ms = limit_ms(left_ms),
					 .grace_ms = state.settings.grace_ms,
					 .ended = on_ended,
				 });
	if (err)
		tell_not_run(hook, strerror(-err));
	return err;
}

static struct hook *next_hook(void)
{
	struct hook *hooks = state.list.hooks;

	if (!state.thawing)
		return state.next < state.list.nr ? &hooks[state.next++] : NULL;
	while (state.next) {
		if (hooks[--state.next].started)
			return &hooks[state.next];
	}
	return NULL;
}

/* Start the next one that can be started, or end the phase. */
static int run_next(void)
{
	struct hook *hook;

	while (!state.stopped && !state.err && (hook = next_hook())) {
		if (!start(hook))
			return 0;
	}
	return finish();
}

static void set_environment(const struct hooks_cycle *cycle)
{
	struct hook_environment *environment = &state.environment;

	hook_environment_reset(environment);
	hook_environment_set_number(environment, "KFREEZE_ID", cycle->id);
	hook_environment_set_number(environment, "KFREEZE_TIMEOUT_MS",
				    cycle->timeout_ms);
	hook_environment_set_number(environment, "KFREEZE_HOOK_TIMEOUT_MS",
				    state.settings.timeout_ms);
	hook_environment_set_mounts(environment, cycle->mounts);
}

void hooks_init(sd_event *event, const struct hooks_settings *settings)
{
	state.event = event;
	state.settings = *settings;
	tzset(); /* reads its file now rather than between freeze and thaw */
}

static int start_phase(bool thawing, size_t first)
{
	state.thawing = thawing;
	state.next = first;
	state.stopped = false;
	state.err = 0;
	*state.text = '\0';
	if (state.list.nr)
		log_with(LOG_INFO,
			 thawing ? "KFREEZE_HOOK_PHASE=thaw"
				 : "KFREEZE_HOOK_PHASE=freeze",
			 "executing fsfreeze hook with arg '%s'", phase_name());
	return run_next();
}

int hooks_freeze(const struct hooks_cycle *cycle)
{
	hook_list_find(&state.list, state.settings.directories,
		       state.settings.script);
	set_environment(cycle);
	state.budget_end_ms = now_ms() + state.settings.budget_ms;
	return start_phase(false, 0);
}

void hooks_stop(void)
{
	if (state.thawing || state.stopped)
		return;
	state.stopped = true;
	if (state.process)
		hook_process_stop(state.process);
}

int hooks_thaw(const char *outcome)
{
	hook_environment_set(&state.environment, "KFREEZE_OUTCOME", outcome);
	return start_phase(true, state.list.nr);
}
