/* SPDX-License-Identifier: GPL-2.0 */
/* One topic, asked in a directory of made-up files; what it emits is kept. */
#ifndef QUERY_HARNESS_H
#define QUERY_HARNESS_H

#include "ktap.h"

#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "query_child.h"

static char tree[] = "/tmp/kfreeze-query-XXXXXX";
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

static inline int tree_remove_entry(const char *path, const struct stat *st,
				    int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_remove(void)
{
	nftw(tree, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(records);
}

static inline void tree_start(void)
{
	CHECK(mkdtemp(tree) != NULL);
	atexit(tree_remove);
	child = (struct query_child){
		.query = &query,
		.root = tree,
		.emit = harness_emit,
	};
}

/* The directories on the way to it are made. */
static inline void tree_path(char path[PATH_MAX], const char *name)
{
	char *slash;

	CHECK(snprintf(path, PATH_MAX, "%s/%s", tree, name) < PATH_MAX);
	for (slash = path + strlen(tree) + 1; (slash = strchr(slash, '/'));
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
	CHECK(snprintf(absolute, PATH_MAX, "%s/%s", tree, target) < PATH_MAX);
	CHECK_EQ(symlink(absolute, path), 0);
}

#endif
