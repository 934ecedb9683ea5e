// SPDX-License-Identifier: GPL-2.0
/* Names the filesystem at fault where there is one. */
#include "cycle_verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "freezer.h"
#include "mounts.h"

__attribute__((format(printf, 4, 5))) static void
set(struct cycle_verdict *verdict, enum report_verdict what, int err,
    const char *fmt, ...)
{
	va_list args;

	verdict->verdict = what;
	verdict->err = err;
	va_start(args, fmt);
	vsnprintf(verdict->text, sizeof(verdict->text), fmt, args);
	va_end(args);
}

static unsigned int seconds(uint32_t msec)
{
	return (msec + 999) / 1000;
}

/* The index is another process's or the kernel's word. */
static const struct mounts_target *blamed_target(const struct mounts *mounts,
						 long blamed)
{
	return blamed >= 0 && (size_t)blamed < mounts->nr_targets
		       ? &mounts->targets[blamed]
		       : NULL;
}

static const char *rollback_name(const struct freezer_notice *notice)
{
	return notice->nr_stuck
		       ? "what does not answer stays frozen until it does"
		       : "everything was rolled back";
}

static const char *error_name(const struct freezer_target *record)
{
	if (record->err == -EBUSY && record->step == KFREEZE_STEP_FREEZE)
		return "busy: somebody else has frozen it";
	return strerror(-record->err);
}

/* A time limit passed before all was frozen. */
static void set_late(struct cycle_verdict *verdict,
		     const struct mounts_target *target, enum kfreeze_step step,
		     uint32_t limit_ms, const char *rest)
{
	const char *name = freezer_step_name(step);

	if (!target)
		set(verdict, REPORT_FAILED, -ETIMEDOUT,
		    "%s: not done after %u s; %s", name, seconds(limit_ms), rest);
	else
		set(verdict, REPORT_FAILED, -ETIMEDOUT,
		    "%s (%s): %s: not done after %u s; %s", target->path,
		    target->source, name, seconds(limit_ms), rest);
}

static void set_failed(struct cycle_verdict *verdict,
		       const struct cycle_verdict_of *of,
		       const struct freezer_notice *notice)
{
	const struct mounts_target *target = blamed_target(of->mounts,
							   notice->blamed);
	const struct freezer_target *record;

	if (!target) {
		set(verdict, REPORT_FAILED, -EIO, "freeze: %s; %s",
		    freezer_cause_name(notice->cause), rollback_name(notice));
		return;
	}
	record = &of->targets[notice->blamed];
	set(verdict, REPORT_FAILED, record->err ? record->err : -EIO,
	    "%s (%s): %s: %s; %s", target->path, target->source,
	    freezer_step_name(record->step), error_name(record),
	    rollback_name(notice));
}

void cycle_verdict_over(struct cycle_verdict *verdict,
			const struct cycle_verdict_of *of,
			const struct freezer_notice *notice)
{
	const struct mounts_target *target = blamed_target(of->mounts,
							   notice->blamed);
	const char *cause = freezer_cause_name(notice->cause);

	if (notice->cause == KFREEZE_CAUSE_FLUSH_DEADLINE)
		set_late(verdict, target, KFREEZE_STEP_FLUSH,
			 of->config->flush_timeout_ms, "nothing was frozen");
	else if (notice->verdict == KFREEZE_VERDICT_FAILED)
		set_failed(verdict, of, notice);
	else if (!of->was_frozen && notice->cause == KFREEZE_CAUSE_DEADLINE)
		set_late(verdict, target, KFREEZE_STEP_FREEZE,
			 of->config->timeout_ms, rollback_name(notice));
	else if (!of->was_frozen)
		set(verdict, REPORT_ABORTED, -ECANCELED, "freeze: %s; %s",
		    cause, rollback_name(notice));
	else if (target)
		set(verdict, REPORT_LOST, -ESTALE, "%s (%s): %s", target->path,
		    target->source, cause);
	else
		set(verdict, REPORT_LOST, -ESTALE, "%s", cause);
}

void cycle_verdict_refused(struct cycle_verdict *verdict,
			   const struct mounts *mounts,
			   const struct freezer_request *request, int err)
{
	const struct mounts_target *target = blamed_target(mounts,
							   request->blamed);
	const char *why = *request->text ? request->text : strerror(-err);

	if (!target)
		set(verdict, REPORT_FAILED, err,
		    "freeze: %s; nothing was frozen", why);
	else
		set(verdict, REPORT_FAILED, err,
		    "%s (%s): freeze: %s; nothing was frozen", target->path,
		    target->source, why);
}
