/* SPDX-License-Identifier: GPL-2.0 */
/* What the running monitor does, and what became of its last cycle. */
#ifndef KFREEZE_CTL_STATUS_H
#define KFREEZE_CTL_STATUS_H

/* On standard output. 0 or -errno, logged. */
int ctl_status(void);
int ctl_status_report(void);

#endif
