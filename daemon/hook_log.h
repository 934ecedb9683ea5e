/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log that admins of the stock script know, and the journal. What there is
 * to tell waits in memory until a cycle is over.
 */
#ifndef KFREEZE_HOOK_LOG_H
#define KFREEZE_HOOK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "hook_process.h"

struct hook_log_entry {
	const char *path;
	bool thawing;
	bool background; /* only output, written after the hook's end */
	time_t started, ended;
	struct hook_exit exit;
	const char *output;
	size_t len; /* of the output */
};

/* Keep a copy. Allocates: not while anything is frozen. */
void hook_log_add(const struct hook_log_entry *entry);

/* Write all that was added, in a process of its own: a disk that hangs is none
 * of ours. Only to a regular file; @path is kept. done() follows when it has ended,
 * or is late. 0 or -errno: then it does not, as when there is nothing to write. */
int hook_log_write(sd_event *event, const char *path, uint32_t id,
		   void (*done)(void));

#endif
