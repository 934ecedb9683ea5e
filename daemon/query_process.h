/* SPDX-License-Identifier: GPL-2.0 */
/* The query under way, as the monitor's loop sees it: a child with a limit. */
#ifndef KFREEZE_QUERY_PROCESS_H
#define KFREEZE_QUERY_PROCESS_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "query.h"

struct query_events {
	/* False: no room now, query_process_resume() will follow. */
	bool (*has_room)(void);
	void (*record)(const struct query_record *record);
	/* It has ended. @text may be "". */
	void (*over)(int err, const char *text);
};

void query_process_init(sd_event *event, const struct query_events *events);

/* One at a time. over() will follow, perhaps before this returns. */
void query_process_start(const struct query *query);

/* There is room again. */
void query_process_resume(void);

/* Kill it: over(@err, @text) is called at once, if there is one. */
void query_process_stop(int err, const char *text);

#endif
