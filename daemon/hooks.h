/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hooks of a cycle, one after the other: freeze in order of the list, thaw
 * in reverse, for every hook that was started.
 */
#ifndef KFREEZE_HOOKS_H
#define KFREEZE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "hook_process.h"

struct hook_directory;
struct mounts;

/* As exit status of a shipped hook's freeze: nothing to do, now and at the
 * thaw. */
#define HOOKS_NOT_APPLICABLE 80

#define HOOKS_TEXT_MAX 512
#define HOOKS_LINE_MAX 160
#define HOOKS_LOG "/var/log/qga-fsfreeze-hook.log"

/* One hook has run, or was refused: then exit_code is -1 and line says why. */
struct hooks_result {
	const char *path;
	bool thawing;
	struct hook_exit exit;
	char line[HOOKS_LINE_MAX]; /* the last one of its output */
};

struct hooks_settings {
	const struct hook_directory *directories; /* up to one without path */
	const char *script; /* instead of them; "": none; NULL: directories */
	const char *log_path;
	uint32_t timeout_ms, budget_ms; /* of a hook, of all freeze hooks */
	uint32_t grace_ms; /* from SIGTERM to SIGKILL */
	uint32_t background_ms; /* after its thaw, for what a freeze has left */
	bool abort_on_failure;
	void (*ran)(void *data, const struct hooks_result *result);
	/* The phase is over. -ECANCELED after hooks_stop(); else, if failures
	 * abort, -EIO and a text. Thaw hooks cannot fail a thaw. */
	void (*done)(void *data, int err, const char *text);
	void *data;
};

/* What hooks are told, as environment. */
struct hooks_cycle {
	uint32_t id;
	uint32_t timeout_ms; /* the longest that filesystems stay frozen */
	const struct mounts *mounts; /* that are to be frozen */
};

bool hooks_has_failed(const struct hooks_result *result);

/* "freeze" or "thaw" */
const char *hooks_phase_name(bool thawing);

void hooks_init(sd_event *event, const struct hooks_settings *settings);

/* Run the freeze hooks; done() follows, never from within this call. */
int hooks_freeze(const struct hooks_cycle *cycle);

/* Of the cycle: whether anything but us has a part in it. */
bool hooks_exist(void);

/* Let the freeze hooks end early: the host does not want the freeze any more. */
void hooks_stop(void);

/* Run the thaw hooks that a monitor which was killed owes, with the outcome
 * lost; true if there are any: done() follows. Nothing may be frozen. */
bool hooks_recover(void);

/* What is still frozen at the thaw: the environment of thaw hooks has it. */
void hooks_tell_stuck(const struct mounts *stuck);

/* Run the thaw hooks. @outcome: "ok", "lost" or "aborted". */
int hooks_thaw(const char *outcome);

#endif
