/* SPDX-License-Identifier: GPL-2.0 */
/* Mounts that break others, for as long as the test runs. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <sys/types.h>

/* A fuse filesystem that never answers: whoever looks up a name in it hangs.
 * Failures end the test, here and below. */
void hostile_fuse(const char *dir);

/* A process with a mount namespace of its own, a copy of ours, as another user
 * than root. */
pid_t hostile_container(void);

#endif
