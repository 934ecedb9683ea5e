// SPDX-License-Identifier: GPL-2.0
/* Finding servers, which here are children with a name and a socket. */
/* link: hooks/instances */
#include "ktap.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "hooks/application.h"
#include "hooks/instances.h"

static char program[64]; /* what the tests themselves execute */
static const char *const programs[] = {"no-such-program", program, NULL};
static const char *const accounts[] = {"no-such-account", "daemon", NULL};

const struct application application = {
	.name = "test",
	.programs = programs,
	.accounts = accounts,
};

static char directory[] = "/tmp/kfreeze-hooks-XXXXXX";
static char name[16]; /* of our own servers only */
static const char *const names[] = {"no-such-server", name, NULL};

static void remove_directory(void)
{
	unlink("server.sock");
	rmdir(directory);
}

/* What /proc/PID/stat makes hard to read. */
static void choose_name(void)
{
	char path[4096];
	/* as others see it, in valgrind, too */
	ssize_t len = readlink("/proc/thread-self/exe", path, sizeof(path) - 1);

	CHECK(len > 0);
	path[len] = '\0';
	snprintf(program, sizeof(program), "%s", strrchr(path, '/') + 1);
	snprintf(name, sizeof(name), "kf) (%d", getpid());
}

static void set_up(void)
{
	choose_name();
	if (geteuid() > 999)
		SKIP("servers of ordinary users are left alone");
	CHECK(mkdtemp(directory) && !chdir(directory));
	atexit(remove_directory);
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	CHECK_EQ(listen(fd, 1), 0);
	return fd;
}

static const char *socket_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/server.sock", directory);
	return path;
}

/* Listens in the directory, has a child of the same name, waits for its end. */
static _Noreturn void serve(int ready_fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK_EQ(prctl(PR_SET_NAME, name), 0);
	listen_at(socket_path());
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHECK_EQ(write(ready_fd, "", 1), 1);
	}
	for (;;)
		pause();
}

/* Its child dies with it, and is then ours. */
static void stop_server(pid_t server)
{
	kill(server, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static pid_t start_server(void)
{
	int ready[2];
	pid_t server;
	char byte;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	CHECK(!pipe(ready));
	server = fork();
	if (server == 0)
		serve(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	return server;
}

TEST(server_is_found_with_socket_and_directory)
{
	struct instance *found;
	pid_t server;

	set_up();
	server = start_server();
	CHECK_EQ(instances_find(names, &found), 1);
	CHECK_EQ(found->pid, server);
	CHECK_EQ(found->uid, geteuid());
	CHECK_STREQ(found->process, name);
	CHECK_STREQ(found->directory, directory);
	CHECK_EQ(found->nr_sockets, 1);
	CHECK_STREQ(found->sockets[0], socket_path());
	CHECK(instance_has_socket(found, found->sockets[0]));
	CHECK(instance_child(found) > 0);
	stop_server(server);
	free(found);
}

TEST(no_server_is_found)
{
	struct instance *found;

	choose_name();
	CHECK_EQ(instances_find(names, &found), 0);
	free(found);
}

/* Of a user, without a socket. */
static pid_t start_as(uid_t uid)
{
	int ready[2];
	pid_t server;
	char byte;

	if (geteuid())
		SKIP("needs root");
	choose_name();
	CHECK(!pipe(ready));
	server = fork();
	if (server == 0) {
		CHECK_EQ(prctl(PR_SET_NAME, name), 0);
		CHECK_EQ(setuid(uid), 0);
		CHECK_EQ(write(ready[1], "", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	return server;
}

TEST(server_of_a_user_is_left_alone)
{
	pid_t server = start_as(1000);
	struct instance *found;

	CHECK_EQ(instances_find(names, &found), 0);
	stop_server(server);
	free(found);
}

TEST(server_of_another_program_is_left_alone)
{
	pid_t server = start_as(0);
	struct instance *found;

	*program = '\0';
	CHECK_EQ(instances_find(names, &found), 0);
	stop_server(server);
	free(found);
}

/* Before those of an account that has nothing to do with the application. */
TEST(trusted_servers_come_first)
{
	static const uid_t uids[] = {33, 0, 34, 1};
	pid_t servers[4];
	struct instance *found;
	size_t i;

	for (i = 0; i < 4; i++)
		servers[i] = start_as(uids[i]);
	CHECK_EQ(instances_find(names, &found), 4);
	CHECK(found[0].trusted && found[0].uid == 0);
	CHECK(found[1].trusted && found[1].uid == 1); /* daemon */
	CHECK(!found[2].trusted && found[2].uid == 33);
	CHECK(!found[3].trusted && found[3].uid == 34);
	for (i = 0; i < 4; i++)
		kill(servers[i], SIGKILL);
	stop_server(servers[0]);
	free(found);
}

/* Listens at the path where another server does, but sees another directory. */
TEST(socket_of_somebody_else_is_not_the_servers)
{
	struct instance instance = {.uid = 34};
	int ready[2];
	char byte;

	set_up();
	if (geteuid())
		SKIP("needs root");
	CHECK(!pipe(ready) && !chmod(directory, 0777));
	CHECK(!instance_has_socket(&instance, socket_path()));
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		CHECK_EQ(setuid(33), 0);
		listen_at(socket_path());
		CHECK_EQ(write(ready[1], "", 1), 1);
		pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK(!instance_has_socket(&instance, socket_path()));
	instance.uid = 33;
	CHECK(instance_has_socket(&instance, socket_path()));
	/* its queue is full, and nobody waits for it */
	CHECK(!instance_has_socket(&instance, socket_path()));
}

/* As with systemd, which hands it over. */
TEST(root_may_listen_for_a_server)
{
	struct instance instance = {.uid = 33};

	set_up();
	if (geteuid())
		SKIP("needs root");
	listen_at(socket_path());
	CHECK(instance_has_socket(&instance, socket_path()));
}
