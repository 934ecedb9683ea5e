/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Thaws what the processes of a cycle have left frozen because all of them
 * were killed: what their list names, and nothing else.
 */
#ifndef KFREEZE_FREEZER_RESCUE_H
#define KFREEZE_FREEZER_RESCUE_H

#include <sys/types.h>

/* After list_init(), with the rights of root. A list whose processes live is
 * left to them, after some seconds in which they may thaw, or die. 0, or -EBUSY
 * if something is not known to be thawed; logged. */
int rescue_run(void);

/* Kill the freezers that live, upon which their guards thaw. */
void rescue_end_living(void);

/* The same as rescue_run() in a child, which is not waited for if it takes long. */
void rescue_start(void);

/* The same by another program, ours with --rescue, which is to be reaped: its
 * pid, 0 if there is no list, or -errno. */
pid_t rescue_spawn(void);

#endif
