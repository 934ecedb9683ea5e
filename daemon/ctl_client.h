/* SPDX-License-Identifier: GPL-2.0 */
/* A kfreeze-monitor: one of kfreezectl's own, which thaws if we die, or the
 * system's. */
#ifndef KFREEZE_CTL_CLIENT_H
#define KFREEZE_CTL_CLIENT_H

#include "ipc.h"

struct config;

/* Our own. 0 or -errno, logged. */
int ctl_client_start(const struct config *config);

/* The system's, that answers IPC_STATUS and IPC_REPORT. 0 or -errno, logged. */
int ctl_client_connect(void);

typedef void (*ctl_record_fn)(const struct report_record *record);

/* Ask and wait for the answer, which also says what has failed. @record: called
 * with each, or NULL. A count or -errno. */
int ctl_client_ask(enum ipc_request_type type, ctl_record_fn record,
		   struct ipc_reply *answer);

#endif
