// SPDX-License-Identifier: GPL-2.0
/* Small files, read as a whole or line by line. */
#include "query_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query_child.h"

/* 0 or -ENAMETOOLONG. */
static int build_path(const struct query_child *child, char path[PATH_MAX],
		      const char *fmt, va_list args)
{
	int len = snprintf(path, PATH_MAX, "%s", child->root);

	if (len < PATH_MAX)
		len += vsnprintf(path + len, PATH_MAX - len, fmt, args);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static FILE *open_file(const struct query_child *child, const char *fmt,
		       va_list args)
{
	char path[PATH_MAX];
	int err = build_path(child, path, fmt, args);

	if (!err)
		return fopen(path, "re");
	errno = -err;
	return NULL;
}

FILE *query_file_open(const struct query_child *child, const char *fmt, ...)
{
	va_list args;
	FILE *file;

	va_start(args, fmt);
	file = open_file(child, fmt, args);
	va_end(args);
	return file;
}

int query_file_line(const struct query_child *child, char *line, size_t size,
		    const char *fmt, ...)
{
	va_list args;
	FILE *file;
	bool read;

	va_start(args, fmt);
	file = open_file(child, fmt, args);
	va_end(args);
	if (!file)
		return -errno;
	read = fgets(line, size, file);
	fclose(file);
	if (!read)
		return -EIO;
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int query_file_write(const struct query_child *child, const char *text,
		     const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	int err, fd;

	va_start(args, fmt);
	err = build_path(child, path, fmt, args);
	va_end(args);
	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool query_file_exists(const struct query_child *child, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	int err;

	va_start(args, fmt);
	err = build_path(child, path, fmt, args);
	va_end(args);
	return !err && !access(path, F_OK);
}

int query_file_resolve(const struct query_child *child, char *resolved,
		       const char *fmt, ...)
{
	size_t root = strlen(child->root);
	char path[PATH_MAX], *found;
	va_list args;
	int err;

	va_start(args, fmt);
	err = build_path(child, path, fmt, args);
	va_end(args);
	if (err)
		return err;
	found = realpath(path, NULL);
	if (!found)
		return -errno;
	if (strncmp(found, child->root, root))
		root = 0;
	snprintf(resolved, PATH_MAX, "%s", found + root);
	free(found);
	return 0;
}

bool query_file_value(const struct query_child *child, const char *key,
		      char *value, size_t size, const char *fmt, ...)
{
	size_t len = strlen(key), room = 0;
	bool found = false;
	char *line = NULL;
	va_list args;
	FILE *file;

	va_start(args, fmt);
	file = open_file(child, fmt, args);
	va_end(args);
	if (!file)
		return false;
	while (!found && getline(&line, &room, file) > 0) {
		found = !strncmp(line, key, len);
		if (!found)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + len);
	}
	free(line);
	fclose(file);
	return found;
}

int query_file_each(struct query_child *child, const char *directory,
		    int (*visit)(struct query_child *child, const char *directory,
				 const char *name, void *data),
		    void *data)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int err = 0, nr, i;

	if (snprintf(path, sizeof(path), "%s%s", child->root, directory) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	nr = scandir(path, &entries, NULL, versionsort);
	if (nr < 0)
		return -errno;
	for (i = 0; i < nr; i++) {
		if (!err && *entries[i]->d_name != '.')
			err = visit(child, directory, entries[i]->d_name, data);
		free(entries[i]);
	}
	free(entries);
	return err;
}
