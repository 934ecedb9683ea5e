// SPDX-License-Identifier: GPL-2.0
/*
 * The order of hooks: freeze hooks as listed, thaw hooks in reverse, and those
 * side by side that want it. What they say is logged when the cycle is over.
 */
#include "hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "hook_environment.h"
#include "hook_group.h"
#include "hook_list.h"
#include "hook_log.h"
#include "hook_record.h"
#include "log.h"

static struct {
	sd_event *event;
	struct hooks_settings settings;
	struct hook_list list;
	struct hook_environment environment;
	uint32_t id; /* of the cycle */
	bool thawing; /* the phase */
	bool stopped;
	size_t next; /* the hook to start; when thawing, one past it */
	size_t nr_running, nr_retiring; /* of hooks */
	bool side_by_side; /* those that run want it */
	uint64_t budget_end_ms;
	int err;
	char text[HOOKS_TEXT_MAX];
} state;

static void advance(void);

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

/* --- results --- */

static void describe_failure(const struct hooks_result *result, char *text,
			     size_t size)
{
	const struct hook_exit *exit = &result->exit;
	char what[64], colon[] = ": ";

	if (exit->timed_out)
		snprintf(what, sizeof(what), "timed out after %g s",
			 exit->limit_ms / 1000.0);
	else if (exit->signal)
		snprintf(what, sizeof(what), "was killed by signal %d",
			 exit->signal);
	else if (exit->exit_code < 0)
		snprintf(what, sizeof(what), "did not run");
	else
		snprintf(what, sizeof(what), "failed: status %d",
			 exit->exit_code);
	snprintf(text, size, "%s: %s hook %s%s%s", result->path, phase_name(),
		 what, *result->line ? colon : "", result->line);
}

static void log_failure(const struct hooks_result *result, const char *text)
{
	char fields[PATH_MAX + 96];

	snprintf(fields, sizeof(fields),
		 "KFREEZE_HOOK=%s\nKFREEZE_HOOK_PHASE=%s\nKFREEZE_HOOK_STATUS=%d",
		 result->path, phase_name(), hook_exit_status(&result->exit));
	log_with(LOG_WARNING, fields, "%s", text);
}

static bool aborts(const struct hook *hook)
{
	if (hook->header.policy == HOOK_POLICY_DEFAULT)
		return state.settings.abort_on_failure;
	return hook->header.policy == HOOK_POLICY_ABORT;
}

/* The first failure that counts is the one that the host hears of. */
static void tell(struct hook *hook, const struct hooks_result *result)
{
	char text[HOOKS_TEXT_MAX];

	if (hooks_has_failed(result) && !state.stopped) {
		describe_failure(result, text, sizeof(text));
		log_failure(result, text);
		if (!state.thawing && aborts(hook) && !state.err) {
			state.err = -EIO;
			strcpy(state.text, text);
		}
	}
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

static void log_output(const struct hook *hook, struct hook_process *process,
		       const struct hook_exit *exit)
{
	static char output[HOOK_OUTPUT_MAX]; /* rather than on the stack */
	struct hook_log_entry entry = {
		.path = hook->path,
		.thawing = state.thawing,
		.background = !exit,
		.started = hook_process_started(process),
		.ended = time(NULL),
		.output = output,
	};

	if (exit)
		entry.exit = *exit;
	entry.len = hook_process_take(process, output);
	if (exit || entry.len)
		hook_log_add(&entry);
}

static void tell_ran(struct hook *hook, struct hook_process *process,
		     const struct hook_exit *exit)
{
	struct hooks_result result = {
		.path = hook->path,
		.thawing = state.thawing,
		.exit = *exit,
	};

	hook_process_last_line(process, result.line, sizeof(result.line));
	log_output(hook, process, exit);
	tell(hook, &result);
}

/* --- one hook --- */

static void on_retired(void *data)
{
	struct hook *hook = data;

	log_output(hook, hook->background, NULL);
	hook_process_free(hook->background);
	hook->background = NULL;
	state.nr_retiring--;
	advance();
}

/* Its thaw is over, or cannot be had: what its freeze left has to go. */
static void retire(struct hook *hook)
{
	if (!state.thawing || !hook->background)
		return;
	state.nr_retiring++;
	hook_process_retire(hook->background, state.settings.background_ms,
			    on_retired);
}

/* Before it is so: a monitor that is killed must not run a thaw twice. */
static void set_owed(struct hook *hook, bool owed)
{
	hook->owed = owed;
	hook_record_save(&state.list, &state.environment);
}

/* An administrator's hook may end with any status that a program of its has. */
static bool is_not_applicable(const struct hook *hook,
			      const struct hook_exit *exit)
{
	return hook->shipped && !state.thawing && !exit->timed_out &&
	       exit->exit_code == HOOKS_NOT_APPLICABLE;
}

static void on_ended(void *data, const struct hook_exit *exit)
{
	struct hook *hook = data;
	struct hook_process *process = hook->process;

	hook->process = NULL;
	state.nr_running--;
	if (is_not_applicable(hook, exit)) {
		set_owed(hook, false);
		hook_process_free(process);
	} else {
		tell_ran(hook, process, exit);
		if (state.thawing)
			hook_process_free(process);
		else
			hook->background = process;
	}
	retire(hook);
	advance();
}

/* A master script runs as many hooks as it likes, within the budget. */
static uint32_t own_limit_ms(const struct hook *hook)
{
	if (hook->header.timeout_ms)
		return hook->header.timeout_ms;
	return state.settings.script ? state.settings.budget_ms
				     : state.settings.timeout_ms;
}

/* 0: its time has been used up by others. */
static uint32_t limit_ms(const struct hook *hook)
{
	uint32_t own_ms = own_limit_ms(hook);
	uint64_t now = now_ms();

	if (state.thawing)
		return own_ms;
	if (now >= state.budget_end_ms)
		return 0;
	return own_ms < state.budget_end_ms - now ? own_ms
						  : state.budget_end_ms - now;
}

static int start_process(struct hook *hook, uint32_t limit)
{
	hook_environment_set_number(&state.environment,
				    "KFREEZE_HOOK_TIMEOUT_MS", limit);
	return hook_process_start(
		&hook->process, state.event,
		&(struct hook_spec){
			.path = hook->path,
			.argument = phase_name(),
			.environment = state.environment.variables,
			.limit_ms = limit,
			.grace_ms = state.settings.grace_ms,
			.ended = on_ended,
			.data = hook,
		});
}

static void start(struct hook *hook)
{
	uint32_t limit = limit_ms(hook);
	int err;

	if (state.thawing)
		set_owed(hook, false);
	if (*hook->refusal) {
		tell_not_run(hook, hook->refusal);
		return;
	}
	if (!limit) {
		tell_not_run(hook, "the time for all hooks was used up");
		return;
	}
	if (!state.thawing)
		set_owed(hook, true);
	err = start_process(hook, limit);
	if (err < 0) {
		tell_not_run(hook, strerror(-err));
		retire(hook);
		return;
	}
	state.nr_running++;
	state.side_by_side = hook->header.parallel;
}

/* --- a phase --- */

/* The hook whose turn it is, or NULL. */
static struct hook *next_hook(void)
{
	struct hook *hooks = state.list.hooks;

	if (state.stopped || state.err)
		return NULL;
	if (!state.thawing)
		return state.next < state.list.nr ? &hooks[state.next] : NULL;
	while (state.next && !hooks[state.next - 1].owed)
		state.next--;
	return state.next ? &hooks[state.next - 1] : NULL;
}

static void on_finish(void)
{
	state.settings.done(state.settings.data, state.err,
			    state.err ? state.text : "");
}

static int on_deferred_finish(sd_event_source *source, void *unused)
{
	(void)source;
	(void)unused;
	on_finish();
	return 0;
}

/* Never from within the call that began the phase. The log is written when the
 * cycle is over: a write before the freeze could hang, and delay it. */
static int finish(void)
{
	if (state.stopped)
		state.err = -ECANCELED;
	if (state.thawing) {
		hook_list_free(&state.list);
		/* nothing of it is left: the next monitor need not look */
		hook_environment_reset(&state.environment);
		hook_record_save(&state.list, &state.environment);
		if (!hook_log_write(state.event, state.settings.log_path,
				    state.id, on_finish))
			return 0;
	}
	return sd_event_add_defer(state.event, NULL, on_deferred_finish, NULL);
}

/* Start what can be started now, or end the phase. */
static int run(void)
{
	struct hook *hook;

	while ((hook = next_hook())) {
		if (state.nr_running &&
		    !(state.side_by_side && hook->header.parallel))
			return 0;
		if (state.thawing)
			state.next--;
		else
			state.next++;
		start(hook);
	}
	if (state.nr_running || state.nr_retiring)
		return 0;
	return finish();
}

static void advance(void)
{
	if (run() < 0)
		on_finish();
}

static void set_environment(const struct hooks_cycle *cycle)
{
	struct hook_environment *environment = &state.environment;

	hook_environment_reset(environment);
	hook_environment_set_number(environment, "KFREEZE_ID", cycle->id);
	hook_environment_set_number(environment, "KFREEZE_TIMEOUT_MS",
				    cycle->timeout_ms);
	hook_environment_set_mounts(environment, "KFREEZE_MOUNTS", cycle->mounts);
}

/* The time that hooks ask for comes on top. */
static uint64_t budget_ms(void)
{
	uint64_t budget = state.settings.budget_ms;
	size_t i;

	for (i = 0; i < state.list.nr; i++)
		budget += state.list.hooks[i].header.timeout_ms;
	return budget;
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
	return run();
}

void hooks_init(sd_event *event, const struct hooks_settings *settings)
{
	state.event = event;
	state.settings = *settings;
	tzset(); /* reads its file now rather than between freeze and thaw */
}

int hooks_freeze(const struct hooks_cycle *cycle)
{
	hook_group_prepare();
	hook_list_find(&state.list, state.settings.directories,
		       state.settings.script);
	set_environment(cycle);
	state.id = cycle->id;
	state.budget_end_ms = now_ms() + budget_ms();
	return start_phase(false, 0);
}

bool hooks_exist(void)
{
	return state.list.nr != 0;
}

void hooks_stop(void)
{
	size_t i;

	if (state.thawing || state.stopped)
		return;
	state.stopped = true;
	for (i = 0; i < state.list.nr; i++) {
		if (state.list.hooks[i].process)
			hook_process_stop(state.list.hooks[i].process);
	}
}

void hooks_tell_stuck(const struct mounts *stuck)
{
	hook_environment_set_mounts(&state.environment, "KFREEZE_STUCK", stuck);
}

int hooks_thaw(const char *outcome)
{
	hook_environment_set(&state.environment, "KFREEZE_OUTCOME", outcome);
	return start_phase(true, state.list.nr);
}

bool hooks_recover(void)
{
	size_t i;

	hook_environment_reset(&state.environment);
	hook_record_load(&state.list, &state.environment);
	/* it may have been killed in the last thaw that it owed */
	hook_group_prepare();
	hook_group_kill_left(
		hook_environment_get(&state.environment, "KFREEZE_ID"));
	if (!state.list.nr)
		return false;
	log_warn("a monitor that was killed owes %zu hooks their thaw",
		 state.list.nr);
	for (i = 0; i < state.list.nr; i++)
		state.list.hooks[i].owed = true;
	return hooks_thaw("lost") >= 0;
}
