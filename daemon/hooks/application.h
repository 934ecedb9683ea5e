/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What hook_main.c and holder.c need to know of an application: each program
 * is linked with one of mariadb.c, mysql.c, postgresql.c and redis.c.
 */
#ifndef KFREEZE_HOOKS_APPLICATION_H
#define KFREEZE_HOOKS_APPLICATION_H

#include <stdint.h>

struct client;
struct instance;

/* Exit status of a freeze hook that has nothing to do: kfreeze-monitor(8). */
#define APPLICATION_IDLE 80

/* Of prepare(): this server is another product, or not part of the freeze. */
#define APPLICATION_NOT_OURS 1

struct application {
	const char *name;
	const char *const *processes; /* names of its servers, to NULL */
	/* Of their executables, where those have others; else NULL. */
	const char *const *programs;
	/* Whom its packages make for them, to NULL: secrets are safe there. */
	const char *const *accounts;
	/*
	 * Make one server ready for a freeze. 0; APPLICATION_NOT_OURS; or
	 * -errno, having said why. Where there is something to unlock, @client
	 * is to be started and holds the lock from here on.
	 */
	int (*prepare)(const struct instance *instance, struct client *client,
		       uint64_t deadline_ms);
	/* SQL that fails unless the lock is still held; NULL: no lock. */
	const char *unlock;
};

extern const struct application application;

#endif
