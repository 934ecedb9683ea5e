/* SPDX-License-Identifier: GPL-2.0 */
/* Fills in the report of the cycle under way. */
#ifndef KFREEZE_CYCLE_REPORT_H
#define KFREEZE_CYCLE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

struct freezer_target;
struct hooks_result;
struct mounts;

/* Before the freeze: targets and skips. */
void cycle_report_mounts(const struct mounts *mounts);
void cycle_report_backend(const char *name, const char *weaker,
			  uint32_t timeout_ms);
void cycle_report_hook(void *unused, const struct hooks_result *result);

/* These do not allocate. */
void cycle_report_frozen(void);
void cycle_report_thawed(void);
void cycle_report_targets(const struct freezer_target *targets, size_t nr);
void cycle_report_verdict(enum report_verdict verdict, const char *text);

/* From the last target's freeze to the last one's thaw. */
uint64_t cycle_report_hold_ns(void);

#endif
