// SPDX-License-Identifier: GPL-2.0
/* What is not known, or did not happen, is left out. */
#include "ctl_report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "report.h"
#include "report_name.h"

static unsigned long long milliseconds(uint64_t ns)
{
	return ns / 1000000;
}

static void print_known(const char *name, const char *value)
{
	if (*value)
		printf("%s: %s\n", name, value);
}

static void print_time(const char *name, uint64_t realtime_ns)
{
	time_t seconds = realtime_ns / 1000000000;
	char when[32];
	struct tm tm;

	if (!realtime_ns)
		return;
	strftime(when, sizeof(when), "%F %T", gmtime_r(&seconds, &tm));
	printf("%s: %s.%03llu UTC\n", name, when,
	       milliseconds(realtime_ns) % 1000);
}

static void print_cycle(const struct report_cycle *cycle)
{
	printf("cycle: %u\n", cycle->id);
	print_known("verdict", report_name_verdict(cycle->verdict));
	print_known("reason", cycle->reason);
	if (cycle->verdict == REPORT_OK)
		print_known("application",
			    report_name_application(cycle->application));
	print_known("backend", cycle->backend);
	print_known("  weaker than the module", cycle->weaker);
	print_time("frozen", cycle->freeze_realtime_ns);
	print_time("thawed", cycle->thaw_realtime_ns);
}

static void print_target(const struct report_target *target)
{
	printf("  level %u: %s (%s, %s, %u:%u): ", target->level, target->path,
	       target->source, target->fstype, target->major, target->minor);
	printf("flush %llu ms, freeze %llu ms, held %llu ms, thaw %llu ms",
	       milliseconds(target->flush_ns), milliseconds(target->freeze_ns),
	       milliseconds(target->hold_ns), milliseconds(target->thaw_ns));
	if (target->err)
		printf(": %s: %s", target->step, strerror(-target->err));
	putchar('\n');
}

static void print_hook(const struct report_hook *hook)
{
	printf("  %s hook %s: ", hook->phase, hook->path);
	if (hook->timed_out)
		printf("killed at its time limit");
	else if (hook->signal)
		printf("ended by signal %d", hook->signal);
	else
		printf("exit status %d", hook->exit_code);
	printf(" after %llu ms%s%s\n", milliseconds(hook->duration_ns),
	       *hook->last_line ? ": " : "", hook->last_line);
}

void ctl_report_print(const struct report_record *record)
{
	switch (record->kind) {
	case REPORT_CYCLE:
		print_cycle(&record->cycle);
		break;
	case REPORT_TARGET:
		print_target(&record->target);
		break;
	case REPORT_SKIP:
		printf("  not frozen: %s (%s): %s\n", record->skip.path,
		       record->skip.fstype, record->skip.reason);
		break;
	default:
		print_hook(&record->hook);
		break;
	}
}
