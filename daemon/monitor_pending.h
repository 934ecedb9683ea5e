/* SPDX-License-Identifier: GPL-2.0 */
/* A request to the monitor that is not answered yet, and who waits for it. */
#ifndef KFREEZE_MONITOR_PENDING_H
#define KFREEZE_MONITOR_PENDING_H

#include <stdint.h>

#include "monitor_client.h"

struct query_record;
struct report_record;

struct monitor_pending {
	uint32_t id; /* 0: none */
	monitor_answer_fn answer;
	void *data;
	/* of a report, of a query */
	monitor_record_fn record;
	monitor_query_record_fn query_record;
	uint32_t topic;
	unsigned int nr_records; /* that have come */
};

void monitor_pending_answer(struct monitor_pending *pending, int err,
			    unsigned int count, const char *text);

/* Hand on a record of a report, of a query's answer: 0, or -EPROTO for one too
 * many or of the wrong kind. */
int monitor_pending_take_report(struct monitor_pending *report,
				const struct report_record *record);
int monitor_pending_take_query(struct monitor_pending *query,
			       const struct query_record *record);

#endif
