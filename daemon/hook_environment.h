/* SPDX-License-Identifier: GPL-2.0 */
/* What hooks are told about their cycle, and the rest of their environment. */
#ifndef KFREEZE_HOOK_ENVIRONMENT_H
#define KFREEZE_HOOK_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

struct mounts;

#define HOOK_ENVIRONMENT_MAX 10

struct hook_environment {
	char *variables[HOOK_ENVIRONMENT_MAX + 1]; /* as execve() wants them */
	size_t nr;
};

/* Forget all, start with what every program needs. */
void hook_environment_reset(struct hook_environment *environment);

/* Replaces an earlier value. A variable that memory is short for is absent. */
void hook_environment_set(struct hook_environment *environment,
			  const char *name, const char *value);
void hook_environment_set_number(struct hook_environment *environment,
				 const char *name, uint32_t value);

/* "NAME=value", or NULL. */
const char *hook_environment_get(struct hook_environment *environment,
				 const char *name);

/* "MAJOR:MINOR PATH", one filesystem a line, PATH escaped as in
 * /proc/self/mountinfo. A last line "..." stands for those that do not fit. */
void hook_environment_set_mounts(struct hook_environment *environment,
				 const char *name, const struct mounts *mounts);

#endif
