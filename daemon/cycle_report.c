// SPDX-License-Identifier: GPL-2.0
/*
 * What mounts, hooks and freezer know of a cycle, put on record.
 */
#include "cycle_report.h"

#include <sys/sysmacros.h>
#include <time.h>

#include "freezer.h"
#include "hooks.h"
#include "mounts.h"

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void cycle_report_mounts(const struct mounts *mounts)
{
	const struct mounts_target *target;
	const struct mounts_skip *skip;
	struct report_target *to;
	struct report_skip *record;
	size_t i;

	for (i = 0; i < mounts->nr_targets; i++) {
		target = &mounts->targets[i];
		to = report_add_target();
		if (!to)
			break;
		report_copy(to->path, sizeof(to->path), target->path);
		report_copy(to->source, sizeof(to->source), target->source);
		report_copy(to->fstype, sizeof(to->fstype), target->fstype);
		to->major = major(target->dev);
		to->minor = minor(target->dev);
		to->level = target->level;
	}
	for (i = 0; i < mounts->nr_skips; i++) {
		skip = &mounts->skips[i];
		record = report_add_skip();
		if (!record)
			break;
		report_copy(record->path, sizeof(record->path), skip->path);
		report_copy(record->fstype, sizeof(record->fstype), skip->fstype);
		report_copy(record->reason, sizeof(record->reason), skip->reason);
	}
}

void cycle_report_targets(const struct freezer_target *targets, size_t nr)
{
	const struct freezer_target *from;
	struct report_target *to;
	size_t i;

	for (i = 0; i < nr; i++) {
		from = &targets[i];
		to = report_target(i);
		if (!to)
			break;
		to->state = from->state;
		to->err = from->err;
		report_copy(to->step, sizeof(to->step),
			    freezer_step_name(from->step));
		to->flush_ns = from->flush_ns;
		to->freeze_ns = from->freeze_ns;
		to->hold_ns = from->hold_ns;
		to->thaw_ns = from->thaw_ns;
	}
}

void cycle_report_frozen(void)
{
	struct report_cycle *cycle = report_cycle();

	if (!cycle)
		return;
	cycle->freeze_realtime_ns = now_ns(CLOCK_REALTIME);
	cycle->freeze_monotonic_ns = now_ns(CLOCK_MONOTONIC);
}

void cycle_report_thawed(void)
{
	struct report_cycle *cycle = report_cycle();

	if (!cycle)
		return;
	cycle->thaw_realtime_ns = now_ns(CLOCK_REALTIME);
	cycle->thaw_monotonic_ns = now_ns(CLOCK_MONOTONIC);
}

void cycle_report_verdict(enum report_verdict verdict, const char *text)
{
	struct report_cycle *cycle = report_cycle();

	if (!cycle)
		return;
	cycle->verdict = verdict;
	report_copy(cycle->reason, sizeof(cycle->reason), text);
}

static enum report_application application_of(const struct hooks_result *result)
{
	if (!hooks_has_failed(result))
		return REPORT_APPLICATION_OK;
	return result->thawing ? REPORT_APPLICATION_LOST
			       : REPORT_APPLICATION_FAILED;
}

void cycle_report_hook(void *unused, const struct hooks_result *result)
{
	enum report_application application = application_of(result);
	struct report_cycle *cycle = report_cycle();
	struct report_hook *hook = report_add_hook();

	(void)unused;
	if (cycle && application > cycle->application)
		cycle->application = application;
	if (!hook)
		return;
	report_copy(hook->path, sizeof(hook->path), result->path);
	report_copy(hook->phase, sizeof(hook->phase),
		    hooks_phase_name(result->thawing));
	hook->exit_code = result->exit.exit_code;
	hook->signal = result->exit.signal;
	hook->timed_out = result->exit.timed_out;
	hook->duration_ns = result->exit.duration_ns;
	report_copy(hook->last_line, sizeof(hook->last_line), result->line);
}

void cycle_report_backend(const char *name, const char *weaker,
			  uint32_t timeout_ms)
{
	struct report_cycle *cycle = report_cycle();

	if (!cycle)
		return;
	report_copy(cycle->backend, sizeof(cycle->backend), name);
	report_copy(cycle->weaker, sizeof(cycle->weaker), weaker);
	cycle->timeout_ms = timeout_ms;
}

uint64_t cycle_report_hold_ns(void)
{
	const struct report_cycle *cycle = report_cycle();

	if (!cycle || !cycle->freeze_monotonic_ns)
		return 0;
	return cycle->thaw_monotonic_ns - cycle->freeze_monotonic_ns;
}
