// SPDX-License-Identifier: GPL-2.0
/*
 * The monitor takes one query at a time: the others wait here, as many as a
 * host may reasonably send ahead. Those of a host that is gone are not asked.
 */
#include "qga_query.h"

#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "monitor_client.h"
#include "qga_request.h"
#include "query.h"

#define MAX_WAITING 64

struct waiting {
	struct waiting *next;
	struct qga_request *request;
	struct query query;
	struct json_object *result;
	qga_query_record_fn record;
};

/* The first one has been asked. */
struct qga_queries {
	struct waiting *first, **end;
	unsigned int nr;
};

struct qga_queries *qga_queries_new(void)
{
	struct qga_queries *queries = calloc(1, sizeof(*queries));

	if (queries)
		queries->end = &queries->first;
	return queries;
}

void qga_queries_free(struct qga_queries *queries)
{
	free(queries);
}

static struct waiting *take_first(struct qga_queries *queries)
{
	struct waiting *first = queries->first;

	queries->first = first->next;
	if (!queries->first)
		queries->end = &queries->first;
	queries->nr--;
	return first;
}

static void found_record(void *data, const struct query_record *record)
{
	struct qga_queries *queries = data;

	queries->first->record(queries->first->result, record);
}

static void ask_next(struct qga_queries *queries);

static void drop(struct waiting *waiting, const char *text)
{
	json_object_put(waiting->result);
	qga_fail(waiting->request, "%s", text);
}

/* A shutdown ends us or the monitor before it is reported: it is under way. */
static bool is_under_way(const struct waiting *waiting, int err)
{
	return waiting->request->silent &&
	       (err == -ESHUTDOWN || err == -ECONNRESET);
}

static void answered(void *data, int err, unsigned int count, const char *text)
{
	struct qga_queries *queries = data;
	struct waiting *first = take_first(queries);

	(void)count;
	if (err && !is_under_way(first, err))
		drop(first, *text ? text : strerror(-err));
	else
		qga_return(first->request, first->result);
	free(first);
	ask_next(queries);
}

static void ask_next(struct qga_queries *queries)
{
	struct waiting *first;

	while (queries->first && qga_request_is_stale(queries->first->request)) {
		first = take_first(queries);
		drop(first, "its host is gone");
		free(first);
	}
	first = queries->first;
	if (first)
		monitor_query(first->request->context->monitor, &first->query,
			      found_record, answered, queries);
}

void qga_query(struct qga_request *request, const struct query *query,
	       struct json_object *result, qga_query_record_fn record)
{
	struct qga_queries *queries = request->context->queries;
	struct waiting *new = NULL;

	if (queries->nr < MAX_WAITING)
		new = calloc(1, sizeof(*new));
	if (!new) {
		json_object_put(result);
		qga_fail(request, "too many commands are waiting");
		return;
	}
	*new = (struct waiting){
		.request = request,
		.query = *query,
		.result = result,
		.record = record,
	};
	*queries->end = new;
	queries->end = &new->next;
	if (queries->nr++ == 0)
		ask_next(queries);
}
