/* SPDX-License-Identifier: GPL-2.0 */
/* The records of cycles as JSON, for host and administrator. */
#ifndef KFREEZE_QGA_CYCLE_H
#define KFREEZE_QGA_CYCLE_H

struct json_object;
struct report_record;

/* To an array, of whose last cycle a record is. */
void qga_cycle_add(struct json_object *cycles,
		   const struct report_record *record);

/* The array, which is taken over, as a report. */
struct json_object *qga_cycle_report(struct json_object *cycles);

#endif
