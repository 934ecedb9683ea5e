// SPDX-License-Identifier: GPL-2.0
/*
 * Variables of the server say where its logs are. Its tables are in directories
 * of the data directory, or those have a link of some kind to them.
 */
#include "mysql_places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client_process.h"
#include "instances.h"
#include "places.h"

#define PATH_SIZE (PATH_MAX + NAME_MAX + 2)
#define LINK_SUFFIX ".isl" /* a file of InnoDB that names another one */

static const char *const directories[] = {
	"innodb_data_home_dir",	 "innodb_log_group_home_dir",
	"innodb_undo_directory", "innodb_doublewrite_dir",
	"aria_log_dir_path",	 NULL,
};

/* The names of files begin with these. */
static const char *const prefixes[] = {
	"log_bin_basename",
	"relay_log_basename",
	NULL,
};

/* What the server's working directory has is counted already. */
static void add(struct places *places, const char *name)
{
	char path[PATH_SIZE];

	if (!*name || !strcmp(name, ".") || !strcmp(name, "./"))
		return;
	snprintf(path, sizeof(path), "%s/%s", places->instance->directory, name);
	places_add(places, *name == '/' ? name : path);
}

/* Without what follows the last slash. */
static void add_directory_of(struct places *places, char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return;
	slash[slash == path] = '\0';
	add(places, path);
}

/* 0: answer is "NAME\tVALUE", or empty if it knows no such variable. */
static int ask_variable(struct client *client, const struct instance *instance,
			const char *name, char **value, uint64_t deadline_ms)
{
	char statement[128], *tab;
	int err;

	snprintf(statement, sizeof(statement),
		 "SHOW GLOBAL VARIABLES LIKE '%s'", name);
	err = client_ask(client, statement, deadline_ms);
	if (err)
		instance_say(instance, "%s: %s", statement,
			     client_reason(client, err));
	tab = strchr(client->answer, '\t');
	*value = tab ? tab + 1 : client->answer + strlen(client->answer);
	return err;
}

/* "ibdata1:12M;/path/ibdata2:1G:autoextend" */
static void add_files(struct places *places, char *list)
{
	char *file;

	while ((file = strsep(&list, ";"))) {
		file[strcspn(file, ":")] = '\0';
		if (*file == '/')
			add_directory_of(places, file);
	}
}

static int add_variables(struct places *places, struct client *client,
			 uint64_t deadline_ms)
{
	const char *const *name;
	char *value;
	int err = 0;

	for (name = directories; !err && *name; name++) {
		err = ask_variable(client, places->instance, *name, &value,
				   deadline_ms);
		if (!err)
			add(places, value);
	}
	for (name = prefixes; !err && *name; name++) {
		err = ask_variable(client, places->instance, *name, &value,
				   deadline_ms);
		if (!err)
			add_directory_of(places, value);
	}
	if (!err)
		err = ask_variable(client, places->instance,
				   "innodb_data_file_path", &value, deadline_ms);
	if (!err)
		add_files(places, value);
	return err;
}

static int add_answers(struct places *places, struct client *client,
		       const char *query, uint64_t deadline_ms)
{
	char statement[512];
	unsigned int i;
	int err;

	for (i = 0;; i++) {
		snprintf(statement, sizeof(statement), "%s LIMIT %u, 1", query,
			 i);
		err = client_ask(client, statement, deadline_ms);
		if (err || !*client->answer)
			break;
		add(places, client->answer);
	}
	if (err)
		instance_say(places->instance, "%s: %s", statement,
			     client_reason(client, err));
	return err;
}

static bool is_link_file(const char *name)
{
	size_t len = strlen(name), suffix = strlen(LINK_SUFFIX);

	return len > suffix && !strcmp(name + len - suffix, LINK_SUFFIX);
}

/* The server's user may put anything there: a pipe that waits, or a link. */
static FILE *open_link_file(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	FILE *file = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

static void add_link_file(struct places *places, int dir_fd, const char *name)
{
	char target[PATH_MAX] = "";
	FILE *file = open_link_file(dir_fd, name);

	if (file && fgets(target, sizeof(target), file)) {
		target[strcspn(target, "\n")] = '\0';
		add(places, target);
	}
	if (file)
		fclose(file);
}

/* Links in a directory, and mount points; @depth: of directories below it. */
static void add_links(struct places *places, const char *directory, int depth)
{
	DIR *dir = opendir(directory);
	struct stat own, st;
	struct dirent *entry;
	char path[PATH_SIZE];

	if (!dir)
		return;
	if (fstat(dirfd(dir), &own))
		own.st_dev = 0;
	while ((entry = readdir(dir))) {
		if (*entry->d_name == '.' ||
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (S_ISLNK(st.st_mode) || st.st_dev != own.st_dev)
			places_add(places, path);
		else if (is_link_file(entry->d_name))
			add_link_file(places, dirfd(dir), entry->d_name);
		if (depth && !S_ISREG(st.st_mode))
			add_links(places, path, depth - 1);
	}
	closedir(dir);
}

int mysql_places_check(struct client *client, const struct instance *instance,
		       const char *files, uint64_t deadline_ms)
{
	struct places places = {.instance = instance};
	int err;

	places_add(&places, instance->directory);
	err = add_variables(&places, client, deadline_ms);
	if (!err && files)
		err = add_answers(&places, client, files, deadline_ms);
	if (err)
		return err;
	add_links(&places, instance->directory, 1);
	return places_verdict(&places);
}
