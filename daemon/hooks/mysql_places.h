/* SPDX-License-Identifier: GPL-2.0 */
/* Where MariaDB and MySQL may have been told to put what belongs together. */
#ifndef KFREEZE_HOOKS_MYSQL_PLACES_H
#define KFREEZE_HOOKS_MYSQL_PLACES_H

#include <stdint.h>

struct client;
struct instance;

/*
 * Data, logs and tablespaces. @files: SQL for paths in a fixed order, or
 * NULL: links tell all.
 * 0: all will be frozen; APPLICATION_NOT_OURS: nothing; or -errno and said.
 */
int mysql_places_check(struct client *client, const struct instance *instance,
		       const char *files, uint64_t deadline_ms);

#endif
