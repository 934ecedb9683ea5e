// SPDX-License-Identifier: GPL-2.0
/* Passwords are the option files' affair: never ours, never an argument. */
#include "mysql_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "application.h"
#include "client_process.h"
#include "filesystems.h"
#include "instances.h"
#include "mysql_places.h"

/* @files: which option files, the first argument of all. They do not have the
 * last word about what decides whether a statement was a success, where it went,
 * and what its answer looks like. --batch is without pager, tee and history. */
static int greet(struct client *client, const struct mysql_product *product,
		 const struct instance *instance, const char *files,
		 const char *socket, uint64_t deadline_ms)
{
	const char *const argv[] = {
		product->program,
		files,
		"--protocol=socket",
		"--host=localhost",
		socket,
		"--connect-timeout=5",
		/* an error has to end it */
		"--skip-force",
		/* a lock would not come back with a new connection */
		"--skip-reconnect",
		"--init-command=DO 0",
		"--skip-local-infile",
		"--skip-safe-updates",
		"--skip-named-commands",
		"--delimiter=;",
		"--batch",
		"--raw",
		"--unbuffered",
		"--skip-quick",
		"--skip-column-names",
		"--skip-column-type-info",
		"--skip-show-warnings",
		"--skip-html",
		"--skip-xml",
		"--skip-table",
		"--skip-vertical",
		"--skip-auto-vertical-output",
		"--loose-skip-binary-as-hex",
		NULL,
	};
	const struct client_spec spec = {
		.program = product->program,
		.other = product->other,
		.argv = argv,
		/* MySQL's finds a password there even without defaults */
		.homeless = !instance->trusted,
	};
	int err = client_start(client, &spec);

	if (!err)
		err = client_ask(client, "SELECT VERSION()", deadline_ms);
	if (err)
		client_stop(client);
	return err;
}

/* As root of the operating system; as Debian's maintenance user, whose file
 * only root can read; as all option files together want it. Whoever could have
 * started the server must not be told the passwords in them. */
static int connect_to(struct client *client, const struct mysql_product *product,
		      const struct instance *instance, const char *socket,
		      uint64_t deadline_ms)
{
	static const char *const files[] = {
		"--no-defaults",
		"--defaults-file=/etc/mysql/debian.cnf",
		"--defaults-group-suffix=",
	};
	size_t nr = instance->trusted ? sizeof(files) / sizeof(*files) : 1, i;
	char option[INSTANCE_SOCKET_SIZE + 16];
	int err = -ENOTCONN;

	snprintf(option, sizeof(option), "--socket=%s", socket);
	for (i = 0; err && i < nr; i++)
		err = greet(client, product, instance, files[i], option,
			    deadline_ms);
	return err;
}

int mysql_client_connect(struct client *client, const struct instance *instance,
			 const struct mysql_product *product,
			 uint64_t deadline_ms)
{
	char reason[CLIENT_LINE_MAX] = "it listens on no unix socket";
	int err = -ENOTCONN;
	size_t i;

	for (i = 0; err && i < instance->nr_sockets; i++) {
		if (!instance_has_socket(instance, instance->sockets[i])) {
			snprintf(reason, sizeof(reason),
				 "%s is another server's, or takes nobody",
				 instance->sockets[i]);
			continue;
		}
		err = connect_to(client, product, instance,
				 instance->sockets[i], deadline_ms);
		snprintf(reason, sizeof(reason), "%s",
			 client_reason(client, err));
	}
	if (!err && !product->is_ours(client->answer))
		return APPLICATION_NOT_OURS;
	if (!err)
		return mysql_places_check(client, instance, product->files,
					  deadline_ms);
	/* A mysqld may be of either; the other hook will complain. */
	if (strcmp(instance->process, product->process) ||
	    !filesystems_has(instance->directory))
		return APPLICATION_NOT_OURS;
	instance_say(instance, "cannot connect%s: %s",
		     instance->trusted ? "" : " without a password", reason);
	return err;
}

int mysql_client_run(struct client *client, const struct instance *instance,
		     const char *const *statements, uint64_t deadline_ms)
{
	int err = 0;

	for (; !err && *statements; statements++) {
		err = client_ask(client, *statements, deadline_ms);
		if (err)
			instance_say(instance, "%s: %s", *statements,
				     client_reason(client, err));
	}
	return err;
}
