/* SPDX-License-Identifier: GPL-2.0 */
/* Commands about the system as a whole. */
#ifndef KFREEZE_QGA_SYSTEM_H
#define KFREEZE_QGA_SYSTEM_H

struct qga_request;

void qga_get_host_name(struct qga_request *request);
void qga_get_timezone(struct qga_request *request);
void qga_get_load(struct qga_request *request);
void qga_get_osinfo(struct qga_request *request);
void qga_get_users(struct qga_request *request);

#endif
