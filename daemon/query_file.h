/* SPDX-License-Identifier: GPL-2.0 */
/* Files of /proc, /sys and /etc: paths are below the root of the query. */
#ifndef KFREEZE_QUERY_FILE_H
#define KFREEZE_QUERY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct query_child;

/* NULL, and errno. */
FILE *query_file_open(const struct query_child *child, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Its first line without the newline. 0 or -errno. */
int query_file_line(const struct query_child *child, char *line, size_t size,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Into a file that is there, in one write. 0 or -errno. */
int query_file_write(const struct query_child *child, const char *text,
		     const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool query_file_exists(const struct query_child *child, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The path it stands for, without the root and without links; at least
 * PATH_MAX bytes. 0 or -errno. */
int query_file_resolve(const struct query_child *child, char *resolved,
		       const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a line that begins with @key, "KEY=" or the like, in lines such
 * as uevent and udev's database have. False: there is none. */
bool query_file_value(const struct query_child *child, const char *key,
		      char *value, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Calls @visit for every entry in the order of names, until it returns other
 * than 0, which is returned then; else 0, or -errno if it cannot be read. */
int query_file_each(struct query_child *child, const char *directory,
		    int (*visit)(struct query_child *child, const char *directory,
				 const char *name, void *data),
		    void *data);

#endif
