/* SPDX-License-Identifier: GPL-2.0 */
/* What the agent says about itself, at any time. */
#ifndef KFREEZE_QGA_INFO_H
#define KFREEZE_QGA_INFO_H

struct qga_request;

void qga_sync(struct qga_request *request);
void qga_sync_delimited(struct qga_request *request);
void qga_ping(struct qga_request *request);
void qga_info(struct qga_request *request);

#endif
