/* SPDX-License-Identifier: GPL-2.0 */
/* What the end of a freeze is called, and the words for it. */
#ifndef KFREEZE_CYCLE_VERDICT_H
#define KFREEZE_CYCLE_VERDICT_H

#include <stdbool.h>

#include "cycle.h"
#include "report.h"

struct config;
struct freezer_notice;
struct freezer_request;
struct freezer_target;
struct mounts;

struct cycle_verdict {
	enum report_verdict verdict;
	int err;
	char text[CYCLE_TEXT_MAX];
};

/* Of the freeze that ended. */
struct cycle_verdict_of {
	const struct config *config;
	const struct mounts *mounts;
	const struct freezer_target *targets; /* one for each of mounts' */
	bool was_frozen;
};

/* The backend ended it by itself or because it was asked to; its verdict is not
 * that all is well. */
void cycle_verdict_over(struct cycle_verdict *verdict,
			const struct cycle_verdict_of *of,
			const struct freezer_notice *notice);

/* The backend did not begin it. @err: why, if it had no word for it. */
void cycle_verdict_refused(struct cycle_verdict *verdict,
			   const struct mounts *mounts,
			   const struct freezer_request *request, int err);

#endif
