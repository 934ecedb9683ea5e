// SPDX-License-Identifier: GPL-2.0
/*
 * Asked of the system's monitor, which answers at any time. Opens nothing but
 * its socket while anything is frozen.
 */
#include "ctl_status.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ctl_check.h"
#include "ctl_client.h"
#include "log.h"
#include "report_name.h"

/* The newest cycle: the first record is the REPORT_CYCLE. */
static struct {
	struct report_record *records;
	size_t nr;
} newest;

static void collect(const struct report_record *record)
{
	if (record->kind == REPORT_CYCLE)
		newest.nr = 0;
	else if (!newest.nr || newest.nr == REPORT_MAX_RECORDS)
		return;
	newest.records[newest.nr++] = *record;
}

static int ask(enum ipc_request_type type, struct ipc_reply *answer)
{
	int err;

	do {
		newest.nr = 0;
		err = ctl_client_ask(type, collect, answer);
	} while (err == -EAGAIN);
	if (err < 0)
		log_err("%s", answer->text);
	return err;
}

static int start(void)
{
	newest.records = calloc(REPORT_MAX_RECORDS, sizeof(*newest.records));
	if (!newest.records)
		return -ENOMEM;
	return ctl_client_connect();
}

static const char *state_name(enum ipc_state state)
{
	static const char *const names[] = {
		[IPC_THAWED] = "thawed",     [IPC_FREEZING] = "freezing",
		[IPC_FROZEN] = "frozen",     [IPC_THAWING] = "thawing",
		[IPC_LOST] = "thawed, lost",
	};

	return names[state];
}

/* The limit counts from the first writer that may wait, which was before the
 * last filesystem was frozen. */
static void print_hold(const struct report_cycle *cycle)
{
	uint64_t held_ms, left_ms = 0;
	struct timespec now;

	if (!cycle->freeze_monotonic_ns || cycle->thaw_monotonic_ns)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	held_ms = now.tv_sec * 1000ULL + now.tv_nsec / 1000000 -
		  cycle->freeze_monotonic_ns / 1000000;
	if (held_ms < cycle->timeout_ms)
		left_ms = cycle->timeout_ms - held_ms;
	printf("frozen for: %.1f s; thawed in at most %.1f s\n",
	       held_ms / 1000.0, left_ms / 1000.0);
}

static void print_under_way(void)
{
	const struct report_cycle *cycle = &newest.records[0].cycle;
	const struct report_target *target;
	size_t i;

	printf("cycle: %u\n", cycle->id);
	if (*cycle->backend)
		printf("backend: %s\n", cycle->backend);
	if (*cycle->weaker)
		printf("  weaker than the module: %s\n", cycle->weaker);
	print_hold(cycle);
	for (i = 1; i < newest.nr; i++) {
		target = &newest.records[i].target;
		if (newest.records[i].kind == REPORT_TARGET)
			printf("  %s: level %u: %s (%s, %s)\n",
			       report_name_target_state(target->state),
			       target->level, target->path, target->source,
			       target->fstype);
	}
}

static void print_idle(void)
{
	const struct report_cycle *cycle = &newest.records[0].cycle;

	/* it runs: what it may use, it has */
	ctl_check_backend(CONFIG_BACKEND_ANY);
	if (newest.nr)
		printf("last cycle: %u: %s%s%s\n", cycle->id,
		       report_name_verdict(cycle->verdict),
		       *cycle->reason ? ": " : "", cycle->reason);
}

int ctl_status(void)
{
	struct ipc_reply status, report;
	int err;

	err = start();
	if (!err)
		err = ask(IPC_STATUS, &status);
	if (!err)
		err = ask(IPC_REPORT, &report);
	if (err)
		return err;
	printf("state: %s\n", state_name(report.state));
	if (*status.text)
		printf("the host has yet to hear: %s\n", status.text);
	if (newest.nr && newest.records[0].cycle.verdict == REPORT_UNDER_WAY)
		print_under_way();
	else
		print_idle();
	return 0;
}

int ctl_status_cycle(const struct report_record **records, size_t *nr)
{
	struct ipc_reply answer;
	int err;

	err = start();
	if (!err)
		err = ask(IPC_REPORT, &answer);
	*records = newest.records;
	*nr = newest.nr;
	return err;
}
