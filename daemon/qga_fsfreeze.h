/* SPDX-License-Identifier: GPL-2.0 */
/* Freezing and thawing, as the host asks for it. */
#ifndef KFREEZE_QGA_FSFREEZE_H
#define KFREEZE_QGA_FSFREEZE_H

struct qga_request;

void qga_fsfreeze_status(struct qga_request *request);
void qga_fsfreeze_freeze(struct qga_request *request);
void qga_fsfreeze_freeze_list(struct qga_request *request);
void qga_fsfreeze_thaw(struct qga_request *request);

#endif
