/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record of the last freeze cycles, as fixed-size records: filled by the
 * monitor, sent over ipc, serialised for host and admin by the receiver.
 */
#ifndef KFREEZE_REPORT_H
#define KFREEZE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#define REPORT_MAX_CYCLES 4
#define REPORT_MAX_RECORDS 1536 /* of one cycle; what comes after is left out */

enum report_kind {
	REPORT_CYCLE = 1, /* starts a cycle; its other records follow */
	REPORT_TARGET,
	REPORT_SKIP,
	REPORT_HOOK,
	REPORT_KIND_MAX = REPORT_HOOK,
};

enum report_verdict {
	REPORT_UNDER_WAY,
	REPORT_OK, /* frozen from the answer to freeze until thaw */
	REPORT_FAILED, /* never frozen as a whole; rolled back */
	REPORT_ABORTED, /* thaw came before it was frozen */
	REPORT_LOST, /* frozen, and thawed before the host asked */
	REPORT_VERDICT_MAX = REPORT_LOST,
};

/* What the hooks have made of it; the worst counts. */
enum report_application {
	REPORT_APPLICATION_NONE, /* no hook ran */
	REPORT_APPLICATION_OK,
	REPORT_APPLICATION_FAILED, /* a freeze hook */
	REPORT_APPLICATION_LOST, /* a thaw hook: what it held did not last */
	REPORT_APPLICATION_MAX = REPORT_APPLICATION_LOST,
};

struct report_cycle {
	uint32_t id;
	uint32_t verdict; /* enum report_verdict */
	uint32_t application; /* enum report_application */
	char backend[8]; /* "kmod" or "ioctl" */
	char weaker[192]; /* what another backend would do better, or "" */
	uint32_t timeout_ms; /* the longest that anything stays frozen */
	uint64_t freeze_realtime_ns; /* when the last target was frozen; 0: never */
	uint64_t freeze_monotonic_ns;
	uint64_t thaw_realtime_ns; /* when the last target was thawed; 0: not yet */
	uint64_t thaw_monotonic_ns;
	char reason[192]; /* for every verdict but ok */
};

struct report_target {
	char path[256]; /* cut short with "..." */
	char source[96];
	char fstype[32];
	uint32_t major, minor;
	uint32_t level;
	uint32_t state; /* enum kfreeze_target_state */
	int32_t err; /* 0 or -errno */
	char step[8]; /* where err happened: "open", "flush", "freeze", "thaw" */
	uint64_t flush_ns, freeze_ns, hold_ns, thaw_ns; /* 0: unknown */
};

struct report_skip {
	char path[256];
	char fstype[32];
	char reason[96];
};

struct report_hook {
	char path[256];
	char phase[8]; /* "freeze" or "thaw" */
	int32_t exit_code; /* -1: not exited by itself */
	int32_t signal; /* 0: none */
	uint32_t timed_out; /* 1: killed at its time limit */
	uint64_t duration_ns;
	char last_line[160]; /* of its output */
};

struct report_record {
	uint32_t kind; /* enum report_kind */
	union {
		struct report_cycle cycle;
		struct report_target target;
		struct report_skip skip;
		struct report_hook hook;
	};
};

/* The monitor's record. Pointers are good until the next report_*() call. */

/* Start a cycle; the oldest makes room. */
void report_start(uint32_t id);

/* The newest cycle, or NULL. */
struct report_cycle *report_cycle(void);

/* Add to the newest cycle; NULL when it is full. Allocates. */
struct report_target *report_add_target(void);
struct report_skip *report_add_skip(void);
struct report_hook *report_add_hook(void);

/* The newest cycle's @index-th target, or NULL. */
struct report_target *report_target(size_t index);

/* The @index-th record of all cycles, oldest first, or NULL. */
const struct report_record *report_get(size_t index);

/* Copy what fits; what does not ends in "...". */
void report_copy(char *out, size_t size, const char *text);

#endif
