// SPDX-License-Identifier: GPL-2.0
/* How the client of MariaDB is started, with a shell script as that client. */
/* link: hooks/mysql_client hooks/mysql_places hooks/places hooks/filesystems */
/* link: hooks/client_process hooks/instances */
#include "ktap.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/instances.h"
#include "hooks/mysql_client.h"

/* Refuses who has no option file. What that says, the last argument undoes. */
static const char script[] =
	"#!/bin/sh\n"
	"files=$1 force=\n"
	"echo \"$*\" >>$LOG\n"
	"case $1 in --no-defaults) echo 'ERROR 1045: denied'; exit 1;; esac\n"
	"for option in $OPTIONS \"$@\"; do case $option in\n"
	"--force) force=1;; --skip-force) force=;; esac; done\n"
	"while read -r line; do case $line in\n"
	"'SELECT VERSION();') echo 10.11-MariaDB;;\n"
	"BAD*) echo 'ERROR 1064: bad'; [ \"$force\" ] || exit 1;;\n"
	"\"SELECT '\"*) line=${line#*\\'}; echo \"${line%\\'*}\";; esac; done\n";

const struct application application = {.name = "test"};

static char root[] = "/tmp/kfreeze-client-XXXXXX";
static struct instance instance = {
	.process = "mariadbd",
	.sockets = {"/run/s"},
	.nr_sockets = 1,
};
static struct client client;

static bool is_ours(const char *version)
{
	return strstr(version, "MariaDB");
}

static const struct mysql_product product = {
	.program = "mariadb",
	.process = "mariadbd",
	.is_ours = is_ours,
};

static int remove_entry(const char *path, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(void)
{
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_root(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void set_up(void)
{
	char path[4096];
	int fd;

	CHECK(mkdtemp(root));
	atexit(remove_tree);
	CHECK(!mkdir(in_root("data"), 0700));
	snprintf(instance.directory, sizeof(instance.directory), "%s",
		 in_root("data"));
	fd = open(in_root("mariadb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	CHECK(fd >= 0 && write(fd, script, strlen(script)) > 0);
	close(fd);
	snprintf(path, sizeof(path), "%s:%s", root, getenv("PATH"));
	CHECK(!setenv("PATH", path, 1) && !setenv("LOG", in_root("log"), 1));
	CHECK(!unsetenv("KFREEZE_MOUNTS"));
	signal(SIGPIPE, SIG_IGN);
}

static uint64_t soon(void)
{
	return client_now_ms() + 20000;
}

TEST(error_ends_the_client_whatever_option_files_say)
{
	static const char *const bad[] = {"BAD STATEMENT", NULL};

	set_up();
	CHECK(!setenv("OPTIONS", "--force", 1));
	CHECK_EQ(mysql_client_connect(&client, &instance, &product, soon()), 0);
	CHECK_EQ(mysql_client_run(&client, &instance, bad, soon()), -EPIPE);
	CHECK_STREQ(client.answer, "ERROR 1064: bad");
	client_stop(&client);
}
