// SPDX-License-Identifier: GPL-2.0
/*
 * kfreeze-monitor: the half that may freeze. Never sees a byte of the host's;
 * takes fixed-size requests from kfreezed, on a socket that systemd or kfreezed
 * hands over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "config.h"
#include "freezer_list.h"
#include "freezer_rescue.h"
#include "ipc.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"
#include "privdrop.h"

/* The one socket that systemd passed, or -errno. */
static int get_listener(void)
{
	int nr = sd_listen_fds(1);

	if (nr != 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1,
					 NULL, 0) <= 0)
		return -ENOTSOCK;
	return SD_LISTEN_FDS_START;
}

static int check_agent(int fd)
{
	if (sd_is_socket_unix(fd, SOCK_SEQPACKET, 0, NULL, 0) <= 0)
		return -ENOTSOCK;
	/* hooks must not inherit it: its end means that we are gone */
	return fcntl(fd, F_SETFD, FD_CLOEXEC) ? -errno : 0;
}

/* -1: nobody can ask for the status, but the host can freeze. */
static int get_admin_listener(const struct config *config)
{
	int fd;

	if (config->private)
		return -1;
	fd = ipc_listen(IPC_ADMIN_SOCKET);
	if (fd < 0)
		log_warn(IPC_ADMIN_SOCKET ": cannot listen: %s", strerror(-fd));
	return fd < 0 ? -1 : fd;
}

/* Memory first: when the filesystem of the program is frozen a page fault is a
 * read, but one of a swap file there may need a write. */
static int prepare(void)
{
	int err = memory_lock();

	if (err)
		log_warn("memory: cannot lock: %s", strerror(-err));
	return privdrop_monitor();
}

int main(int argc, char **argv)
{
	int listen_fd = -1, err;
	struct config config;

	log_init(LOG_IDENT, NULL, false);
	err = list_init(LIST_DIRECTORY);
	if (err)
		log_warn(LIST_DIRECTORY ": cannot keep lists there: %s",
			 strerror(-err));
	/* whatever the settings are */
	if (argc == 2 && !strcmp(argv[1], "--rescue"))
		return rescue_run() ? EXIT_FAILURE : EXIT_SUCCESS;
	err = config_load_monitor(&config, argc, argv);
	if (err)
		return EXIT_FAILURE;
	log_set_verbose(config.verbose);
	rescue_start();
	if (config.agent_fd >= 0)
		err = check_agent(config.agent_fd);
	else
		err = listen_fd = get_listener();
	if (err < 0) {
		log_err("no socket to kfreezed: start it by kfreezed or by "
			"kfreeze-monitor.socket: %s",
			strerror(-err));
		return EXIT_FAILURE;
	}
	err = prepare();
	if (!err)
		err = monitor_run(&config, listen_fd, config.agent_fd,
				  get_admin_listener(&config));
	if (err)
		log_err("cannot go on: %s", strerror(-err));
	config_free(&config);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
