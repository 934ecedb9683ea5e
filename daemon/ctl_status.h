/* SPDX-License-Identifier: GPL-2.0 */
/* What the running monitor does, and what became of its last cycle. */
#ifndef KFREEZE_CTL_STATUS_H
#define KFREEZE_CTL_STATUS_H

#include <stddef.h>

struct report_record;

/* On standard output. 0 or -errno, logged. */
int ctl_status(void);

/* The last cycle; @records stay as they are. 0 or -errno, logged. */
int ctl_status_cycle(const struct report_record **records, size_t *nr);

#endif
