// SPDX-License-Identifier: GPL-2.0
/* How the client of MariaDB is started, with a shell script as that client. */
/* link: hooks/mysql_client hooks/mysql_places hooks/places hooks/filesystems */
/* link: hooks/client_process */
#include "ktap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/instances.h"
#include "hooks/mysql_client.h"
#include "root.h"

/* Refuses who has no option file. What that says, the last argument undoes. */
static const char script[] =
	"#!/bin/sh\n"
	"force=\n"
	"echo \"$1 $HOME\" >>$LOG\n"
	"case $1 in --no-defaults) echo 'ERROR 1045: denied'; exit 1;; esac\n"
	"for option in $OPTIONS \"$@\"; do case $option in\n"
	"--force) force=1;; --skip-force) force=;; esac; done\n"
	"while read -r line; do case $line in\n"
	"'SELECT VERSION();') echo 10.11-MariaDB;;\n"
	"BAD*) echo 'ERROR 1064: bad'; [ \"$force\" ] || exit 1;;\n"
	"\"SELECT '\"*) line=${line#*\\'}; echo \"${line%\\'*}\";; esac; done\n";

const struct application application = {.name = "test"};

static struct instance instance = {
	.process = "mariadbd",
	.trusted = true,
	.sockets = {"/no/such/socket"},
	.nr_sockets = 1,
};
static struct client client;
static bool has_socket = true;

bool instance_has_socket(const struct instance *unused, const char *path)
{
	(void)unused;
	(void)path;
	return has_socket;
}

void instance_say(const struct instance *unused, const char *format, ...)
{
	(void)unused;
	(void)format;
}

static bool is_ours(const char *version)
{
	return strstr(version, "MariaDB");
}

static const struct mysql_product product = {
	.program = "mariadb",
	.process = "mariadbd",
	.is_ours = is_ours,
};

static void set_up(void)
{
	char path[4096];
	int fd;

	root_make();
	CHECK(!mkdir(in_root("data"), 0700));
	snprintf(instance.directory, sizeof(instance.directory), "%s",
		 in_root("data"));
	fd = open(in_root("mariadb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	CHECK(fd >= 0 && write(fd, script, strlen(script)) > 0);
	close(fd);
	snprintf(path, sizeof(path), "%s:%s", root, getenv("PATH"));
	CHECK(!setenv("PATH", path, 1) && !setenv("LOG", in_root("log"), 1));
	CHECK(!setenv("HOME", "/root", 1) && !unsetenv("KFREEZE_MOUNTS"));
	signal(SIGPIPE, SIG_IGN);
}

static const char *log_text(void)
{
	static char text[1024];
	int fd = open(in_root("log"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
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

TEST(option_files_are_for_a_server_that_is_trusted)
{
	set_up();
	CHECK_EQ(mysql_client_connect(&client, &instance, &product, soon()), 0);
	CHECK_STREQ(log_text(), "--no-defaults /root\n"
				"--defaults-file=/etc/mysql/debian.cnf /root\n");
	client_stop(&client);
}

TEST(another_server_is_told_no_password)
{
	set_up();
	instance.trusted = false;
	CHECK_EQ(mysql_client_connect(&client, &instance, &product, soon()),
		 -EPIPE);
	CHECK_STREQ(log_text(), "--no-defaults /nonexistent\n");
}

TEST(socket_of_somebody_else_is_not_used)
{
	set_up();
	has_socket = false;
	CHECK_EQ(mysql_client_connect(&client, &instance, &product, soon()),
		 -ENOTCONN);
	CHECK_STREQ(log_text(), "");
}
