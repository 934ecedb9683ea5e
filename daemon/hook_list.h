/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which hooks there are: the administrator's, of all directories together, in
 * C-locale order of the file names, equal names in order of their paths; then
 * the shipped ones likewise.
 */
#ifndef KFREEZE_HOOK_LIST_H
#define KFREEZE_HOOK_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hook_header.h"

struct hook_process;

struct hook {
	char *path;
	const char *name; /* within path */
	char refusal[HOOK_HEADER_ERROR_MAX]; /* why it must not run, or "" */
	struct hook_header header;
	dev_t dev;
	ino_t ino;
	bool shipped; /* it comes with us or an application */
	/* of the cycle */
	bool owed; /* its thaw: it was started */
	struct hook_process *process; /* under way */
	struct hook_process *background; /* what its freeze has left behind */
};

struct hook_list {
	struct hook *hooks;
	size_t nr, nr_ignored;
};

struct hook_directory {
	const char *path;
	/* Of the shipped ones: what has the same name there; else NULL. */
	const char *replaced_by;
};

/* Where hooks are on a system. */
extern const struct hook_directory hook_list_directories[];

/* @directories: up to one without path. @script: instead of them; "" for no
 * hook at all; NULL for the directories. */
void hook_list_find(struct hook_list *list,
		    const struct hook_directory *directories, const char *script);

/* One more, by its path, after those that are there. */
void hook_list_add(struct hook_list *list, const char *path);

void hook_list_free(struct hook_list *list);

#endif
