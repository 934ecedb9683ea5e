/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's trace of events. */
#ifndef TRACE_H
#define TRACE_H

/* Forget what was there, and trace "kfreeze", "block/block_rq_issue" ... too.
 * Ends the test if it fails. */
void trace_start(const char *events);
/* The trace, once @wanted stands in it: ends the test if it never does. */
const char *trace_read(const char *wanted);

/* For ktap_setup() and ktap_teardown(). */
void trace_setup(void);
void trace_teardown(void);

#endif
