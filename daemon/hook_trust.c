// SPDX-License-Identifier: GPL-2.0
/* A hook runs as root: whoever can write or replace it can become root. */
#include "hook_trust.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS 40 /* the kernel's */

static bool is_owned(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

const char *hook_trust_refusal(const struct stat *st)
{
	if (!is_owned(st))
		return "refused: not owned by root";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "refused: writable by others";
	return NULL;
}

static int fail(int err, char *reason, size_t size)
{
	snprintf(reason, size, "%s", strerror(-err));
	return err;
}

/* Where it is sticky, what is root's can be replaced by root only. */
static int check_directory(const char *path, char *reason, size_t size)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];
	struct stat st;

	snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path + 1),
		 path);
	if (stat(directory, &st))
		return fail(-errno, reason, size);
	if (st.st_mode & S_ISVTX)
		st.st_mode &= ~(S_IWGRP | S_IWOTH);
	if (!hook_trust_refusal(&st))
		return 0;
	snprintf(reason, size, "refused: its directory %.60s is %s", directory,
		 is_owned(&st) ? "writable by others" : "not owned by root");
	return -EPERM;
}

/* @path is replaced by what the link there says: 0. 1: it is no link. */
static int follow(char path[PATH_MAX], char *reason, size_t size)
{
	char target[PATH_MAX], *name = strrchr(path, '/') + 1;
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	struct stat st;

	if (len < 0 && errno == EINVAL)
		return 1;
	if (len < 0 || lstat(path, &st))
		return fail(-errno, reason, size);
	if (!is_owned(&st)) {
		snprintf(reason, size, "refused: a link not owned by root");
		return -EPERM;
	}
	target[len] = '\0';
	if (*target == '/')
		name = path;
	if (strlen(target) >= (size_t)(path + PATH_MAX - name))
		return fail(-ENAMETOOLONG, reason, size);
	strcpy(name, target);
	return 0;
}

int hook_trust_check(const char *path, char *reason, size_t size)
{
	char current[PATH_MAX];
	const char *refusal;
	struct stat st;
	int err, i;

	if (*path != '/' || strlen(path) >= sizeof(current)) {
		snprintf(reason, size, "refused: not an absolute path");
		return -EINVAL;
	}
	strcpy(current, path);
	for (i = 0; i < MAX_LINKS; i++) {
		err = check_directory(current, reason, size);
		if (!err)
			err = follow(current, reason, size);
		if (err < 0)
			return err;
		if (err)
			break;
	}
	if (i == MAX_LINKS)
		return fail(-ELOOP, reason, size);
	if (stat(path, &st))
		return fail(-errno, reason, size);
	refusal = hook_trust_refusal(&st);
	if (!refusal)
		return 0;
	snprintf(reason, size, "%s", refusal);
	return -EPERM;
}
