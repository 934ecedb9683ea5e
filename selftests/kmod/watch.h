/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that write to filesystems all the time, and notice a freeze. */
#ifndef WATCH_H
#define WATCH_H

#include "disk.h"

#define WATCH_MAX NR_DISKS

struct watch;

/* Mounts @disks; ends the test when that fails. */
struct watch *watch_start(const enum disk disks[], int nr);
/* A mount point where a byte is not written after @ms, or NULL. */
const char *watch_frozen(const struct watch *watch, int ms);
/* The longest that any write has taken, in ms. */
long long watch_longest(const struct watch *watch);
/* Once everything is thawed. */
void watch_stop(const struct watch *watch);

#endif
