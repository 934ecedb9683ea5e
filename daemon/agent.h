/* SPDX-License-Identifier: GPL-2.0 */
/* The loop of the unprivileged process, between the host and the monitor. */
#ifndef KFREEZE_AGENT_H
#define KFREEZE_AGENT_H

struct agent;
struct config;
struct channel_address;
struct monitor_client;

/* Opens the channel, as long as we may. @config and @address must outlive the
 * agent; @monitor is taken over. 0 or -errno, logged. */
int agent_new(struct config *config, const struct channel_address *address,
	      struct monitor_client *monitor, struct agent **agent);
void agent_free(struct agent *agent);

/* Until SIGTERM or SIGINT; SIGHUP reads the settings again. 0 or -errno, logged. */
int agent_run(struct agent *agent);

#endif
