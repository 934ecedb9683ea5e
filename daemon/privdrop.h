/* SPDX-License-Identifier: GPL-2.0 */
/* The whole of what a role keeps: user, capabilities, system calls. */
#ifndef KFREEZE_PRIVDROP_H
#define KFREEZE_PRIVDROP_H

#define PRIVDROP_USER "kfreezed"

/*
 * Gives up everything the role does not need, then reads back what is left.
 * What could not be dropped is logged by name; the caller must not go on.
 * 0 or -errno.
 */
int privdrop_agent(void);
/* Before that, once the agent has no more to execute: makes sure of the user
 * to become, and leaves it the system calls for the rest of its start. */
int privdrop_agent_start(void);
int privdrop_monitor(void);
/* The monitor, once it owns a session of the module and needs no other
 * backend. */
int privdrop_owner(void);
/* Each thread for itself, the first one last; then, for all of them at once,
 * privdrop_filter_freezer(). Threads could not be started without CAP_IPC_LOCK
 * once all memory is locked. */
int privdrop_freezer_thread(void);
int privdrop_freezer(void);

#endif
