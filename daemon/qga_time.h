/* SPDX-License-Identifier: GPL-2.0 */
/* guest-get-time, guest-set-time. */
#ifndef KFREEZE_QGA_TIME_H
#define KFREEZE_QGA_TIME_H

struct qga_request;

void qga_get_time(struct qga_request *request);
void qga_set_time(struct qga_request *request);

#endif
