/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process that holds an application's locks from freeze to thaw, through
 * one client per server. It ends at the thaw; when whoever runs the hooks dies;
 * or when the freeze must be over. Locks end with it, as their clients do.
 */
#ifndef KFREEZE_HOOKS_HOLDER_H
#define KFREEZE_HOOKS_HOLDER_H

#include <stddef.h>
#include <stdint.h>

struct instance;

struct holder_limits {
	uint32_t prepare_ms; /* for all servers together; also to release them */
	uint32_t hold_ms;
};

/* Lock all servers; one that cannot be locked does not stop the others. Returns
 * an exit status: 1 if one could not be locked, APPLICATION_IDLE for none. */
int holder_start(const struct instance *instances, size_t nr,
		 const struct holder_limits *limits);

/* Unlock. Returns an exit status: 1 if a lock was lost meanwhile. */
int holder_release(uint32_t limit_ms);

#endif
