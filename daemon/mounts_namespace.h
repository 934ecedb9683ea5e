/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mount namespaces: our own, and those of containers and sandboxed services,
 * found in /proc through the oldest process of each.
 */
#ifndef KFREEZE_MOUNTS_NAMESPACE_H
#define KFREEZE_MOUNTS_NAMESPACE_H

#include <limits.h>

struct libmnt_table;

struct mounts_namespace {
	struct libmnt_table *table;
	char root[32]; /* "/proc/PID/root"; "" is our own */
	int root_fd; /* O_PATH, also when that process has ended; -1: "/" */
};

/* Called with each; it owns @namespace from then on. 0, or -errno to stop. */
typedef int (*mounts_namespace_fn)(void *data,
				   struct mounts_namespace *namespace);

/* All but our own, each parsed once. *@hidden is the number of processes that
 * could not be asked for theirs. 0 or -errno. */
int mounts_namespace_scan(const char *proc, mounts_namespace_fn found,
			  void *data, unsigned int *hidden);

void mounts_namespace_free(struct mounts_namespace *namespace);

#endif
