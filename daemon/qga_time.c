// SPDX-License-Identifier: GPL-2.0
/* The clock is there to be read by everybody; the monitor sets it. */
#include "qga_time.h"

#include <json-c/json.h>
#include <time.h>

#include "qga_query.h"
#include "qga_request.h"
#include "query.h"

#define NS_PER_S 1000000000LL
/* As qemu-ga has it: a host that is wrong by so much is not believed. */
#define YEAR_2070_S 3155760000LL

void qga_get_time(struct qga_request *request)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	qga_return(request,
		   json_object_new_int64(now.tv_sec * NS_PER_S + now.tv_nsec));
}

void qga_set_time(struct qga_request *request)
{
	struct json_object *time = qga_argument(request, "time");
	struct query query = {.topic = QUERY_SET_TIME};

	if (time) {
		query.set_time.is_given = 1;
		query.set_time.ns = json_object_get_int64(time);
		if (query.set_time.ns < 0 ||
		    query.set_time.ns / NS_PER_S >= YEAR_2070_S) {
			qga_fail(request, "Invalid time");
			return;
		}
	}
	qga_query(request, &query, json_object_new_object(), NULL);
}
