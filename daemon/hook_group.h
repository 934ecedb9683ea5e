/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All processes of one run of a hook: a cgroup where systemd has delegated ours
 * to us, and the process group in any case.
 */
#ifndef KFREEZE_HOOK_GROUP_H
#define KFREEZE_HOOK_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

struct hook_group {
	int cgroup; /* its directory, or -1 */
	char name[48]; /* of that */
	pid_t leader; /* of the process group; 0: not yet */
};

/* Find out what there is, and remove cgroups that have become empty. Both again
 * and again: processes of a thaw hook may live on. */
void hook_group_prepare(void);

/* Kill what freeze hooks of an earlier monitor have left: in cgroups; and where
 * it had none, by @id, a variable that they all have in their environment. */
void hook_group_kill_left(const char *id);

/* Without a cgroup there is still the process group. */
void hook_group_create(struct hook_group *group, const char *phase);

/* In the child, before it executes anything. 0 or -errno. */
int hook_group_enter(const struct hook_group *group);

/* The leader must not have been reaped: its number would be somebody else's. */
void hook_group_signal(const struct hook_group *group, int signal);

/* But for a leader that waits to be reaped. */
bool hook_group_is_empty(const struct hook_group *group);

/* The processes go on, if there are any. */
void hook_group_remove(struct hook_group *group);

#endif
