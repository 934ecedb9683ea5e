/* SPDX-License-Identifier: GPL-2.0 */
/* One run of one hook: its processes, with time limits, and their output. */
#ifndef KFREEZE_HOOK_PROCESS_H
#define KFREEZE_HOOK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "hook_output.h"

struct hook_process;

struct hook_exit {
	int exit_code; /* -1: killed, or could not be started */
	int signal; /* 0: none */
	bool timed_out;
	uint32_t limit_ms;
	uint64_t duration_ns;
};

/* As a shell has it in $?. */
static inline int hook_exit_status(const struct hook_exit *exit)
{
	return exit->signal ? 128 + exit->signal : exit->exit_code;
}

struct hook_spec {
	const char *path, *argument;
	char *const *environment;
	uint32_t limit_ms; /* then SIGTERM to all its processes */
	uint32_t grace_ms; /* after that SIGKILL */
	/* The hook has ended, or cannot even be killed. What it left in the
	 * background may go on writing, which is read. */
	void (*ended)(void *data, const struct hook_exit *result);
	void *data;
};

/* 0 or -errno. */
int hook_process_start(struct hook_process **process, sd_event *event,
		       const struct hook_spec *spec);

/* As if the time limit had passed; the end will follow. */
void hook_process_stop(struct hook_process *process);

/* After its end: what is left in the background gets @limit_ms to go, then
 * SIGTERM and SIGKILL. @retired follows, with the data of the spec. */
void hook_process_retire(struct hook_process *process, uint32_t limit_ms,
			 void (*retired)(void *data));

/* The last HOOK_OUTPUT_MAX bytes that were not taken before. */
size_t hook_process_take(struct hook_process *process,
			 char text[HOOK_OUTPUT_MAX]);

void hook_process_last_line(const struct hook_process *process, char *line,
			    size_t size);

/* Wall clock of the start. */
time_t hook_process_started(const struct hook_process *process);

/* Background processes lose their output from here on. */
void hook_process_free(struct hook_process *process);

#endif
