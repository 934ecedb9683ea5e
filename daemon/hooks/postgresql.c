// SPDX-License-Identifier: GPL-2.0
/*
 * PostgreSQL needs no lock: a copy of all its filesystems at one moment is what
 * a crash leaves. So the one thing to check is that it is all of them.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "application.h"
#include "client_process.h"
#include "instances.h"
#include "places.h"

#define SOCKET "/.s.PGSQL."

/* Links to where they are. */
static void add_tablespaces(struct places *places)
{
	char path[PATH_MAX + 16 + NAME_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/pg_tblspc", places->instance->directory);
	places_add(places, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/pg_tblspc/%s",
			 places->instance->directory, entry->d_name);
		places_add(places, path);
	}
	if (dir)
		closedir(dir);
}

static int check_places(const struct instance *instance)
{
	struct places places = {.instance = instance};
	char path[PATH_MAX + 16];

	places_add(&places, instance->directory);
	snprintf(path, sizeof(path), "%s/pg_wal", instance->directory);
	places_add(&places, path);
	add_tablespaces(&places);
	return places_verdict(&places);
}

/* @user: to be; NULL: root, which the server may know as postgres. */
static int checkpoint(struct client *client, const char *directory,
		      const char *port, const struct passwd *user,
		      uint64_t deadline_ms)
{
	const char *const argv[] = {
		"psql", "-X",
		"-q",	"-A",
		"-t",	"-w",
		"-v",	"ON_ERROR_STOP=1",
		"-v",	"VERBOSITY=terse",
		"-h",	directory,
		"-p",	port,
		"-U",	user ? user->pw_name : "postgres",
		"-d",	"postgres",
		NULL,
	};
	const struct client_spec spec = {
		.program = *argv, .argv = argv, .user = user};
	int err = client_start(client, &spec);

	if (!err)
		err = client_ask(client, "CHECKPOINT", deadline_ms);
	return err;
}

static int checkpoint_at(struct client *client, const struct instance *instance,
			 const char *socket, uint64_t deadline_ms)
{
	const struct passwd *user = getpwuid(instance->uid);
	char directory[INSTANCE_SOCKET_SIZE];
	char *port;
	int err;

	/* what root has a password for is no business of any other server */
	if (!instance_has_socket(instance, socket) ||
	    (!user && !instance->trusted))
		return -EPERM;
	strcpy(directory, socket);
	port = strstr(directory, SOCKET);
	if (!port)
		return -EPROTOTYPE;
	*port = '\0';
	port += strlen(SOCKET);
	err = checkpoint(client, directory, port, user, deadline_ms);
	if (err == -EPIPE && instance->trusted) {
		client_stop(client);
		err = checkpoint(client, directory, port, NULL, deadline_ms);
	}
	return err;
}

/* It only makes the recovery of the copy shorter: no failure of the hook. */
static void try_checkpoint(const struct instance *instance, uint64_t deadline_ms)
{
	struct client client = {0};
	int err = -ENOTCONN;
	size_t i;

	for (i = 0; err && i < instance->nr_sockets; i++) {
		client_stop(&client);
		err = checkpoint_at(&client, instance, instance->sockets[i],
				    deadline_ms);
	}
	if (err)
		instance_say(instance,
			     "no checkpoint, recovery will be longer: %s",
			     client_reason(&client, err));
	client_stop(&client);
}

static int prepare(const struct instance *instance, struct client *client,
		   uint64_t deadline_ms)
{
	int err = check_places(instance);

	(void)client;
	if (!err)
		try_checkpoint(instance, deadline_ms);
	return err;
}

const struct application application = {
	.name = "postgresql",
	.processes = (const char *const[]){"postgres", NULL},
	.accounts = (const char *const[]){"postgres", NULL},
	.prepare = prepare,
};
