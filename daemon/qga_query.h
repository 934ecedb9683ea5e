/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that ask the monitor of the system. They wait for each other, in
 * the order of the host; all others are answered meanwhile.
 */
#ifndef KFREEZE_QGA_QUERY_H
#define KFREEZE_QGA_QUERY_H

struct json_object;
struct qga_queries;
struct qga_request;
struct query;
struct query_record;

/* Puts what @record says into @result. */
typedef void (*qga_query_record_fn)(struct json_object *result,
				    const struct query_record *record);

/* Ends @request, with @result once all records are in it, or with an error.
 * @result is taken over; @record is NULL if there are no records. */
void qga_query(struct qga_request *request, const struct query *query,
	       struct json_object *result, qga_query_record_fn record);

/* Those of one port. NULL when out of memory. */
struct qga_queries *qga_queries_new(void);
/* None is left: the monitor's client, freed before, has answered them. */
void qga_queries_free(struct qga_queries *queries);

#endif
