// SPDX-License-Identifier: GPL-2.0
/* For whoever shows a report: host and administrator read the same words. */
#include "report_name.h"

#include <linux/kfreeze.h>

#include "report.h"

const char *report_name_verdict(uint32_t verdict)
{
	static const char *const names[] = {
		[REPORT_UNDER_WAY] = "under-way", [REPORT_OK] = "ok",
		[REPORT_FAILED] = "failed",	  [REPORT_ABORTED] = "aborted",
		[REPORT_LOST] = "lost",
	};

	return names[verdict];
}

const char *report_name_application(uint32_t application)
{
	static const char *const names[] = {
		[REPORT_APPLICATION_NONE] = "",
		[REPORT_APPLICATION_OK] = "ok",
		[REPORT_APPLICATION_FAILED] = "failed",
		[REPORT_APPLICATION_LOST] = "lost",
	};

	return names[application];
}

const char *report_name_target_state(uint32_t target_state)
{
	static const char *const names[] = {
		[KFREEZE_TARGET_PENDING] = "pending",
		[KFREEZE_TARGET_FLUSHING] = "flushing",
		[KFREEZE_TARGET_FLUSHED] = "flushed",
		[KFREEZE_TARGET_FREEZING] = "freezing",
		[KFREEZE_TARGET_FROZEN] = "frozen",
		[KFREEZE_TARGET_THAWING] = "thawing",
		[KFREEZE_TARGET_THAWED] = "thawed",
		[KFREEZE_TARGET_FAILED] = "failed",
		[KFREEZE_TARGET_LOST] = "lost",
		[KFREEZE_TARGET_STUCK] = "stuck",
	};

	if (target_state >= sizeof(names) / sizeof(*names))
		return "unknown";
	return names[target_state];
}
