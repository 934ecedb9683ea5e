/* SPDX-License-Identifier: GPL-2.0 */
/* guest-shutdown and guest-suspend-*: nothing is answered to a success. */
#ifndef KFREEZE_QGA_POWER_H
#define KFREEZE_QGA_POWER_H

struct qga_request;

void qga_shutdown(struct qga_request *request);
void qga_suspend_disk(struct qga_request *request);
void qga_suspend_ram(struct qga_request *request);
void qga_suspend_hybrid(struct qga_request *request);

#endif
