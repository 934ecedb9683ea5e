/* SPDX-License-Identifier: GPL-2.0 */
/* The record of the last cycles, as JSON. */
#ifndef KFREEZE_QGA_REPORT_H
#define KFREEZE_QGA_REPORT_H

struct qga_request;

void qga_report(struct qga_request *request);

#endif
