// SPDX-License-Identifier: GPL-2.0
/*
 * MySQL 8 and up. InnoDB recovers from a copy of one moment; only what creates,
 * renames and removes files is held back, and tables that have no log. Both end
 * with the connection, as SET GLOBAL read_only would not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "application.h"
#include "client_process.h"
#include "instances.h"
#include "mysql_client.h"

static const char *const lock[] = {
	"SET SESSION lock_wait_timeout = 10",
	"LOCK INSTANCE FOR BACKUP",
	NULL,
};

/* It waits for the longest statement, and all others for it: only if needed. */
static const char *const lock_tables[] = {
	"FLUSH TABLES WITH READ LOCK",
	NULL,
};

static const char nr_unlogged[] =
	"SELECT COUNT(*) FROM information_schema.TABLES"
	" JOIN information_schema.ENGINES USING (ENGINE)"
	" WHERE TRANSACTIONS <> 'YES'"
	" AND ENGINE NOT IN ('MEMORY', 'BLACKHOLE', 'PERFORMANCE_SCHEMA')"
	" AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema',"
	" 'performance_schema', 'sys')";

/* Those of the data directory begin with a dot. */
static const char directories[] =
	"SELECT DISTINCT LEFT(FILE_NAME, CHAR_LENGTH(FILE_NAME)"
	" - CHAR_LENGTH(SUBSTRING_INDEX(FILE_NAME, '/', -1)))"
	" FROM information_schema.FILES WHERE FILE_NAME LIKE '/%' ORDER BY 1";

static bool is_mysql(const char *version)
{
	return !strstr(version, "MariaDB");
}

static const struct mysql_product mysql = {
	.program = "mysql",
	.other = "mariadb",
	.process = "mysqld",
	.is_ours = is_mysql,
	.files = directories,
};

static int prepare(const struct instance *instance, struct client *client,
		   uint64_t deadline_ms)
{
	const char *const count[] = {nr_unlogged, NULL};
	int err = mysql_client_connect(client, instance, &mysql, deadline_ms);

	if (!err)
		err = mysql_client_run(client, instance, lock, deadline_ms);
	if (!err)
		err = mysql_client_run(client, instance, count, deadline_ms);
	if (!err && strcmp(client->answer, "0"))
		err = mysql_client_run(client, instance, lock_tables,
				       deadline_ms);
	return err;
}

const struct application application = {
	.name = "mysql",
	.processes = (const char *const[]){"mysqld", NULL},
	.accounts = (const char *const[]){"mysql", NULL},
	.prepare = prepare,
	.unlock = "UNLOCK TABLES; UNLOCK INSTANCE",
};
