/* SPDX-License-Identifier: GPL-2.0 */
/* The records of a cycle as text. */
#ifndef KFREEZE_CTL_REPORT_H
#define KFREEZE_CTL_REPORT_H

struct report_record;

/* On standard output. */
void ctl_report_print(const struct report_record *record);

#endif
