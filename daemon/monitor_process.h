/* SPDX-License-Identifier: GPL-2.0 */
/* Starts kfreeze-monitor for an agent that nobody has given one. */
#ifndef KFREEZE_MONITOR_PROCESS_H
#define KFREEZE_MONITOR_PROCESS_H

struct config;

/* A socket to the new monitor, or -errno, logged. */
int monitor_process_start(const struct config *config);

#endif
