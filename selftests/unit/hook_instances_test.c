// SPDX-License-Identifier: GPL-2.0
/* Finding servers, which here are children with a name and a socket. */
/* link: hooks/instances */
#include "ktap.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hooks/application.h"
#include "hooks/instances.h"

const struct application application = {.name = "test"};

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

/* Listens in the directory, has a child of the same name, waits for its end. */
static _Noreturn void serve(int ready_fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/server.sock",
		 directory);
	CHECK_EQ(prctl(PR_SET_NAME, name), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	CHECK_EQ(listen(fd, 1), 0);
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
	char socket_path[64];
	pid_t server;

	set_up();
	server = start_server();
	CHECK_EQ(instances_find(names, &found), 1);
	CHECK_EQ(found->pid, server);
	CHECK_EQ(found->uid, geteuid());
	CHECK_STREQ(found->process, name);
	CHECK_STREQ(found->directory, directory);
	CHECK_EQ(found->nr_sockets, 1);
	snprintf(socket_path, sizeof(socket_path), "%s/server.sock", directory);
	CHECK_STREQ(found->sockets[0], socket_path);
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

TEST(server_of_a_user_is_left_alone)
{
	struct instance *found;
	pid_t server;
	int ready[2];
	char byte;

	if (geteuid())
		SKIP("needs root");
	choose_name();
	CHECK(!pipe(ready));
	server = fork();
	if (server == 0) {
		CHECK_EQ(prctl(PR_SET_NAME, name), 0);
		CHECK_EQ(setuid(1000), 0);
		CHECK_EQ(write(ready[1], "", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	CHECK_EQ(instances_find(names, &found), 0);
	stop_server(server);
	free(found);
}
