/* SPDX-License-Identifier: GPL-2.0 */
/* A kfreeze-monitor of kfreezectl's own. It thaws if we die. */
#ifndef KFREEZE_CTL_CLIENT_H
#define KFREEZE_CTL_CLIENT_H

#include "ipc.h"

struct config;

/* 0 or -errno, logged. */
int ctl_client_start(const struct config *config);

typedef void (*ctl_record_fn)(const struct report_record *record);

/* Ask and wait for the answer, whose text goes to @text. @record: called with
 * each, or NULL. A count or -errno. */
int ctl_client_ask(enum ipc_request_type type, ctl_record_fn record,
		   char text[IPC_TEXT_MAX]);

#endif
