/* SPDX-License-Identifier: GPL-2.0 */
/* The clients of MariaDB and MySQL, which take the same options. */
#ifndef KFREEZE_HOOKS_MYSQL_CLIENT_H
#define KFREEZE_HOOKS_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

struct client;
struct instance;

struct mysql_product {
	const char *program, *other; /* its client, and what else may do */
	const char *process; /* the name of servers that can be of no other */
	bool (*is_ours)(const char *version);
	const char *files; /* of mysql_places_check() */
};

/* Connect as root by socket authentication, else as the option files say, and
 * see that all files of the server will be frozen.
 * 0, APPLICATION_NOT_OURS, or -errno and said. */
int mysql_client_connect(struct client *client, const struct instance *instance,
			 const struct mysql_product *product,
			 uint64_t deadline_ms);

/* Run statements up to NULL. 0, or -errno and said. */
int mysql_client_run(struct client *client, const struct instance *instance,
		     const char *const *statements, uint64_t deadline_ms);

#endif
