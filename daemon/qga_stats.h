/* SPDX-License-Identifier: GPL-2.0 */
/* guest-get-cpustats, guest-get-diskstats. */
#ifndef KFREEZE_QGA_STATS_H
#define KFREEZE_QGA_STATS_H

struct qga_request;

void qga_get_cpustats(struct qga_request *request);
void qga_get_diskstats(struct qga_request *request);

#endif
