// SPDX-License-Identifier: GPL-2.0
/*
 * MariaDB 10.4 and up: BACKUP STAGE, which the server ends by itself when the
 * connection does. Non-transactional tables are closed on disk, commits wait.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "application.h"
#include "client_process.h"
#include "instances.h"
#include "mysql_client.h"

/* A statement that writes to a non-transactional table is waited for, while all
 * others already wait for us. */
static const char *const lock[] = {
	"SET SESSION lock_wait_timeout = 10",
	"BACKUP STAGE START",
	"BACKUP STAGE BLOCK_COMMIT",
	NULL,
};

static bool is_mariadb(const char *version)
{
	return strstr(version, "MariaDB");
}

static const struct mysql_product mariadb = {
	.program = "mariadb",
	.other = "mysql",
	.process = "mariadbd",
	.is_ours = is_mariadb,
};

static int prepare(const struct instance *instance, struct client *client,
		   uint64_t deadline_ms)
{
	int err = mysql_client_connect(client, instance, &mariadb, deadline_ms);

	if (!err)
		err = mysql_client_run(client, instance, lock, deadline_ms);
	return err;
}

const struct application application = {
	.name = "mariadb",
	.processes = (const char *const[]){"mariadbd", "mysqld", NULL},
	.accounts = (const char *const[]){"mysql", NULL},
	.prepare = prepare,
	.unlock = "BACKUP STAGE END",
};
