/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One cycle: freeze hooks, mount table, freeze, thaw, thaw hooks; their order,
 * their deadlines, and the record of it all. Who asks, and what a host gets to
 * hear, is monitor.c's.
 */
#ifndef KFREEZE_CYCLE_H
#define KFREEZE_CYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "report.h"

struct config;

#define CYCLE_TEXT_MAX 512

enum cycle_phase {
	CYCLE_IDLE,
	CYCLE_FREEZE_HOOKS,
	CYCLE_FREEZING, /* flush, freeze */
	CYCLE_FROZEN,
	CYCLE_THAWING,
	CYCLE_THAW_HOOKS,
};

struct cycle_result {
	enum report_verdict verdict;
	int err; /* 0 for REPORT_OK, else -errno */
	unsigned int count; /* filesystems that were frozen until the thaw */
	const char *text; /* for every verdict but ok */
};

/* frozen() and lost() are told at most once each, the others always. None from
 * within cycle_freeze(). */
struct cycle_events {
	void (*frozen)(unsigned int count);
	void (*lost)(const char *reason); /* before decided() */
	/* for who waits: nothing is left but to log and tidy up */
	void (*decided)(const struct cycle_result *result);
	void (*over)(const struct cycle_result *result);
};

struct cycle_request {
	bool listed; /* only the filesystems that paths lie on */
	char *const *paths;
	size_t nr_paths;
};

int cycle_init(sd_event *event, const struct config *config,
	       const struct cycle_events *events);

/* The settings are new ones. Only when idle. */
void cycle_configure(void);

enum cycle_phase cycle_phase(void);

/* The report has the filesystems as they are now, also in mid-cycle. */
void cycle_update_report(void);

/* Only when idle. */
void cycle_freeze(const struct cycle_request *request);

/* Thaw; before frozen() this aborts, with @reason. */
void cycle_thaw(const char *reason);

/* Thaw because the freeze is worth nothing any more: the verdict is lost, even
 * before frozen(). */
void cycle_lose(const char *reason);

#endif
