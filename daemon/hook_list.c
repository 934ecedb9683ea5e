// SPDX-License-Identifier: GPL-2.0
/*
 * Finding hooks, by the stock script's rules for names.
 */
#include "hook_list.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook_trust.h"
#include "log.h"

#define MAX_HOOKS 256

const struct hook_directory hook_list_directories[] = {
	{"/etc/kfreeze/hooks.d", NULL},
	{"/usr/lib/kfreeze/hooks.d", "/etc/kfreeze/hooks.d"},
	{"/etc/qemu/fsfreeze-hook.d", NULL},
	{"/etc/qemu-ga/fsfreeze-hook.d", NULL},
	{NULL, NULL},
};

/* What the stock script skips: left behind by editors and packages. */
static bool is_skipped_name(const char *name)
{
	static const char *const suffixes[] = {
		"~",
		".bak",
		".orig",
		".rpmnew",
		".rpmorig",
		".rpmsave",
		".sample",
		".dpkg-old",
		".dpkg-new",
		".dpkg-tmp",
		".dpkg-dist",
		".dpkg-bak",
		".dpkg-backup",
		".dpkg-remove",
	};
	size_t len = strlen(name), suffix, i;

	if (*name == '.')
		return true;
	for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		suffix = strlen(suffixes[i]);
		if (len >= suffix && !strcmp(name + len - suffix, suffixes[i]))
			return true;
	}
	return false;
}

static struct hook *add_hook(struct hook_list *list, const char *directory,
			     const char *name)
{
	struct hook *hook;

	if (list->nr == MAX_HOOKS) {
		list->nr_ignored++;
		return NULL;
	}
	hook = reallocarray(list->hooks, list->nr + 1, sizeof(*hook));
	if (!hook)
		return NULL;
	list->hooks = hook;
	hook += list->nr;
	*hook = (struct hook){0};
	if (asprintf(&hook->path, "%s%s%s", directory, *directory ? "/" : "",
		     name) < 0)
		return NULL;
	hook->name = hook->path + strlen(hook->path) - strlen(name);
	list->nr++;
	return hook;
}

static void refuse(struct hook *hook, const char *reason)
{
	if (hook && reason)
		snprintf(hook->refusal, sizeof(hook->refusal), "%s", reason);
}

static void read_header(struct hook *hook)
{
	char error[HOOK_HEADER_ERROR_MAX];

	if (!*hook->refusal && hook_header_read(hook->path, &hook->header, error))
		refuse(hook, error);
}

/* Two of the directories may be one: qemu-ga's are often linked. */
static bool is_known(const struct hook_list *list, const struct stat *st)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		if (list->hooks[i].dev == st->st_dev &&
		    list->hooks[i].ino == st->st_ino)
			return true;
	}
	return false;
}

/* By anything, also a link to /dev/null. */
static bool is_replaced(const struct hook_directory *directory, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!directory->replaced_by)
		return false;
	snprintf(path, sizeof(path), "%s/%s", directory->replaced_by, name);
	return !lstat(path, &st);
}

static void add_file(struct hook_list *list,
		     const struct hook_directory *directory, int dir_fd,
		     const char *name)
{
	struct hook *hook;
	struct stat st;

	if (is_skipped_name(name) || fstatat(dir_fd, name, &st, 0) ||
	    !S_ISREG(st.st_mode) || !(st.st_mode & 0111) ||
	    is_known(list, &st) || is_replaced(directory, name))
		return;
	hook = add_hook(list, directory->path, name);
	if (!hook)
		return;
	hook->dev = st.st_dev;
	hook->ino = st.st_ino;
	hook->shipped = directory->replaced_by;
	hook_trust_check(hook->path, hook->refusal, sizeof(hook->refusal));
	read_header(hook);
}

static void scan_directory(struct hook_list *list,
			   const struct hook_directory *directory)
{
	const char *path = directory->path;
	DIR *dir = opendir(path);
	const char *reason;
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		if (errno != ENOENT && errno != ENOTDIR)
			refuse(add_hook(list, "", path), strerror(errno));
		return;
	}
	reason = fstat(dirfd(dir), &st) ? strerror(errno)
					: hook_trust_refusal(&st);
	if (reason) {
		refuse(add_hook(list, "", path), reason);
	} else {
		while ((entry = readdir(dir)))
			add_file(list, directory, dirfd(dir), entry->d_name);
	}
	closedir(dir);
}

void hook_list_add(struct hook_list *list, const char *path)
{
	struct hook *hook = add_hook(list, "", path);

	if (!hook)
		return;
	hook_trust_check(path, hook->refusal, sizeof(hook->refusal));
	read_header(hook);
}

/* The shipped ones come last, and are thawed first: an administrator's hook may
 * stop a server and start it again, which ends a lock of ours. */
static int compare_hooks(const void *left, const void *right)
{
	const struct hook *a = left, *b = right;
	int order = a->shipped - b->shipped;

	if (!order)
		order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->path, b->path);
}

void hook_list_find(struct hook_list *list,
		    const struct hook_directory *directories, const char *script)
{
	*list = (struct hook_list){0};
	/* a master script, which has directories of its own */
	if (script && *script)
		hook_list_add(list, script);
	for (; !script && directories->path; directories++)
		scan_directory(list, directories);
	if (list->nr_ignored)
		log_warn("%zu hooks are ignored: there are more than %d",
			 list->nr_ignored, MAX_HOOKS);
	if (list->nr)
		qsort(list->hooks, list->nr, sizeof(*list->hooks), compare_hooks);
}

void hook_list_free(struct hook_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->hooks[i].path);
	free(list->hooks);
	*list = (struct hook_list){0};
}
