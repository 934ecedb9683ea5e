/* SPDX-License-Identifier: GPL-2.0 */
/* The administrators' connections: status and report, and nothing that acts. */
#ifndef KFREEZE_MONITOR_ADMIN_H
#define KFREEZE_MONITOR_ADMIN_H

#include <systemd/sd-event.h>

#include "ipc.h"

/* Serve root on @listen_fd, which is taken over. @state: what is going on.
 * 0 or -errno. */
int monitor_admin_init(sd_event *event, int listen_fd,
		       enum ipc_state (*state)(void));

#endif
