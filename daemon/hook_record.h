/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hooks that are owed their thaw, in a file of /run: should we be killed,
 * the next monitor pays.
 */
#ifndef KFREEZE_HOOK_RECORD_H
#define KFREEZE_HOOK_RECORD_H

struct hook_environment;
struct hook_list;

#define HOOK_RECORD "/run/kfreeze/hooks"

/* Ours alone as long as we live. 0 or -errno: then nothing is recorded. */
int hook_record_open(const char *path);

/* Write down which hooks of @list are owed, and what they were told. */
void hook_record_save(const struct hook_list *list,
		      const struct hook_environment *environment);

/* What a monitor that was killed left, or an empty list. */
void hook_record_load(struct hook_list *list,
		      struct hook_environment *environment);

#endif
