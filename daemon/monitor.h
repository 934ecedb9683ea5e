/* SPDX-License-Identifier: GPL-2.0 */
/* The privileged event loop: one agent's requests, and what it gets to hear. */
#ifndef KFREEZE_MONITOR_H
#define KFREEZE_MONITOR_H

struct config;

/* Serve one agent after the other on @listen_fd, or the one at the other end
 * of @agent_fd; the other one is -1. And administrators on @admin_fd, which may
 * be -1. Returns after SIGTERM or SIGINT, or when
 * the agent of @agent_fd is gone; then nothing is frozen. 0 or -errno. */
int monitor_run(struct config *config, int listen_fd, int agent_fd, int admin_fd);

#endif
