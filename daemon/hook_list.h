/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which hooks there are. All directories together are in C-locale order of the
 * file names; equal names are in order of their paths.
 */
#ifndef KFREEZE_HOOK_LIST_H
#define KFREEZE_HOOK_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct hook_process;

struct hook {
	char *path;
	const char *name; /* within path */
	char refusal[64]; /* why it must not run, or "" */
	dev_t dev;
	ino_t ino;
	/* of the cycle */
	bool started;
	struct hook_process *freeze; /* its output may go on until the thaw */
};

struct hook_list {
	struct hook *hooks;
	size_t nr, nr_ignored;
};

/* @script: instead of the directories; "" for none at all; NULL for them. */
void hook_list_find(struct hook_list *list, const char *const *directories,
		    const char *script);

void hook_list_free(struct hook_list *list);

#endif
