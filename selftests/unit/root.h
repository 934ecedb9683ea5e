/* SPDX-License-Identifier: GPL-2.0 */
/* A directory of a test's own, which ends with the test. */
#ifndef ROOT_H
#define ROOT_H

#include "ktap.h"

#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

static char root[] = "/tmp/kfreeze-test-XXXXXX";

static inline int root_remove_entry(const char *path, const struct stat *st,
				    int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void root_remove(void)
{
	nftw(root, root_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void root_make(void)
{
	CHECK(mkdtemp(root));
	atexit(root_remove);
}

/* A path in it, until the next call. */
static inline const char *in_root(const char *name)
{
	static char path[PATH_MAX];

	CHECK(snprintf(path, sizeof(path), "%s/%s", root, name) < PATH_MAX);
	return path;
}

#endif
