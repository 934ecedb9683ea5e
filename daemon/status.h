/* SPDX-License-Identifier: GPL-2.0 */
/* What `systemctl status` shows: the state, and the last cycle. */
#ifndef KFREEZE_STATUS_H
#define KFREEZE_STATUS_H

#include "ipc.h"

/* A cycle has ended; @text is for an @err. */
void status_cycle(int err, unsigned int count, const char *text);

/* Tell systemd, if it is news to it. Not while anything is frozen: a PID 1
 * that the freeze blocks does not read. */
void status_tell(enum ipc_state now);

/* Only how the last cycle ended. */
void status_tell_cycle(void);

#endif
