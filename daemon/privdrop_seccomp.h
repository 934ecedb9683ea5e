/* SPDX-License-Identifier: GPL-2.0 */
/* The system calls a role may make. */
#ifndef KFREEZE_PRIVDROP_SECCOMP_H
#define KFREEZE_PRIVDROP_SECCOMP_H

/* Any other call kills the process from now on. 0 or -errno, logged. */
int privdrop_filter_agent_start(void);
int privdrop_filter_agent(void); /* fewer */
int privdrop_filter_freezer(void); /* of all threads there are */

#endif
