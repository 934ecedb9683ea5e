// SPDX-License-Identifier: GPL-2.0
/* What the monitor answers, on its way to who asked. */
#include "monitor_pending.h"

#include <errno.h>

#include "query.h"
#include "report.h"

void monitor_pending_answer(struct monitor_pending *pending, int err,
			    unsigned int count, const char *text)
{
	struct monitor_pending copy = *pending;

	/* first: the answer may lead to the next request */
	*pending = (struct monitor_pending){0};
	if (copy.id && copy.answer)
		copy.answer(copy.data, err, count, text);
}

int monitor_pending_take_report(struct monitor_pending *report,
				const struct report_record *record)
{
	if (++report->nr_records > REPORT_MAX_CYCLES * REPORT_MAX_RECORDS)
		return -EPROTO;
	report->record(report->data, record);
	return 0;
}

int monitor_pending_take_query(struct monitor_pending *query,
			       const struct query_record *record)
{
	if (!query_expects(query->topic, record) ||
	    ++query->nr_records > QUERY_MAX_RECORDS)
		return -EPROTO;
	query->query_record(query->data, record);
	return 0;
}
