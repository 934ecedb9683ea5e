// SPDX-License-Identifier: GPL-2.0
/*
 * Strings that end with a NUL: the environment, an empty one, the paths of the
 * hooks in the order of their freeze, an empty one.
 */
#include "hook_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hook_environment.h"
#include "hook_list.h"
#include "log.h"

#define RECORD_MAX (4 << 20) /* 256 paths, and KFREEZE_MOUNTS */

static int record_fd = -1;

int hook_record_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		record_fd = fd;
		return 0;
	}
	err = -errno;
	close(fd);
	return err;
}

static void put(FILE *file, const char *string)
{
	fwrite(string, 1, strlen(string) + 1, file);
}

static void put_all(FILE *file, const struct hook_list *list,
		    const struct hook_environment *environment)
{
	size_t i;

	for (i = 0; i < environment->nr; i++)
		put(file, environment->variables[i]);
	put(file, "");
	for (i = 0; i < list->nr; i++) {
		if (list->hooks[i].owed)
			put(file, list->hooks[i].path);
	}
	put(file, "");
}

void hook_record_save(const struct hook_list *list,
		      const struct hook_environment *environment)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file;

	if (record_fd < 0)
		return;
	file = open_memstream(&text, &size);
	if (!file)
		return;
	put_all(file, list, environment);
	/* over the old one: what is left of that is behind our end */
	if (fclose(file) || pwrite(record_fd, text, size, 0) != (ssize_t)size ||
	    ftruncate(record_fd, size))
		log_warn(HOOK_RECORD ": cannot write: %s", strerror(errno));
	free(text);
}

/* "NAME=value" */
static void take_variable(struct hook_environment *environment, char *variable)
{
	char *value = strchr(variable, '=');

	if (!value)
		return;
	*value = '\0';
	hook_environment_set(environment, variable, value + 1);
}

/* @text ends with two NULs, whatever is in it. */
static void parse(char *text, const char *end, struct hook_list *list,
		  struct hook_environment *environment)
{
	char *string, *next;
	bool paths = false;

	for (string = text; string < end; string = next) {
		next = string + strlen(string) + 1;
		if (paths && *string)
			hook_list_add(list, string);
		else if (*string)
			take_variable(environment, string);
		else if (paths)
			break;
		else
			paths = true;
	}
}

void hook_record_load(struct hook_list *list, struct hook_environment *environment)
{
	struct stat st;
	char *text;

	if (record_fd < 0 || fstat(record_fd, &st) || !st.st_size ||
	    st.st_size > RECORD_MAX)
		return;
	text = calloc(1, st.st_size + 2);
	if (text && pread(record_fd, text, st.st_size, 0) == st.st_size)
		parse(text, text + st.st_size, list, environment);
	free(text);
}
