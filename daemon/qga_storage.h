/* SPDX-License-Identifier: GPL-2.0 */
/* guest-get-disks, guest-get-fsinfo, guest-fstrim. */
#ifndef KFREEZE_QGA_STORAGE_H
#define KFREEZE_QGA_STORAGE_H

struct qga_request;

void qga_get_disks(struct qga_request *request);
void qga_get_fsinfo(struct qga_request *request);
void qga_fstrim(struct qga_request *request);

#endif
