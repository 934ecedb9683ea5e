/* SPDX-License-Identifier: GPL-2.0 */
/* One topic, asked in a directory of made-up files; what it emits is kept. */
#ifndef QUERY_HARNESS_H
#define QUERY_HARNESS_H

#include "ktap.h"

#include <limits.h>
#include <sys/stat.h>

#include "query_child.h"
#include "root.h"

static struct query_record *records;
static size_t nr_records;
static struct query query;
static struct query_child child;

static inline int harness_emit(void *data, const struct query_record *record)
{
	(void)data;
	CHECK(query_record_is_valid(record));
	records = reallocarray(records, nr_records + 1, sizeof(*records));
	CHECK(records != NULL);
	records[nr_records++] = *record;
	return 0;
}

static inline void free_records(void)
{
	free(records);
}

static inline void tree_start(void)
{
	root_make();
	atexit(free_records);
	child = (struct query_child){
		.query = &query,
		.root = root,
		.emit = harness_emit,
	};
}

/* The directories on the way to it are made. */
static inline void tree_path(char path[PATH_MAX], const char *name)
{
	char *slash;

	CHECK(snprintf(path, PATH_MAX, "%s/%s", root, name) < PATH_MAX);
	for (slash = path + strlen(root) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		CHECK(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static inline void tree_file(const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *file;

	tree_path(path, name);
	file = fopen(path, "w");
	CHECK(file != NULL);
	fputs(content, file);
	fclose(file);
}

/* It begins so: what is written to it is shorter than what was there. */
static inline void tree_check(const char *name, const char *content)
{
	char path[PATH_MAX], got[64] = "";
	FILE *file;

	tree_path(path, name);
	file = fopen(path, "r");
	CHECK(file != NULL);
	CHECK(fgets(got, sizeof(got), file) != NULL);
	fclose(file);
	CHECK(!strncmp(got, content, strlen(content)));
}

static inline void tree_directory(const char *name)
{
	char path[PATH_MAX];

	tree_path(path, name);
	CHECK(!mkdir(path, 0755) || errno == EEXIST);
}

/* @target: from the top of the tree */
static inline void tree_link(const char *name, const char *target)
{
	char path[PATH_MAX], absolute[PATH_MAX];

	tree_path(path, name);
	CHECK(snprintf(absolute, PATH_MAX, "%s/%s", root, target) < PATH_MAX);
	CHECK_EQ(symlink(absolute, path), 0);
}

#endif
