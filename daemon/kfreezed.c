// SPDX-License-Identifier: GPL-2.0
/*
 * kfreezed: reads its settings, gets a monitor and the way to the host, then
 * gives up every privilege and serves.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "channel.h"
#include "config.h"
#include "ipc.h"
#include "log.h"
#include "memory.h"
#include "monitor_client.h"
#include "monitor_process.h"
#include "privdrop.h"
#include "qga.h"
#include "qga_command.h"

static bool is_help(const char *name)
{
	return !strcmp(name, "help") || !strcmp(name, "?");
}

static bool is_listable(const char *name)
{
	return is_help(name) || qga_command_is_known(name);
}

static bool asks_for_help(char *const *list)
{
	for (; list && *list; list++) {
		if (is_help(*list))
			return true;
	}
	return false;
}

static void exit_if_only_asked(const struct config *config)
{
	if (asks_for_help(config->block_rpcs) ||
	    asks_for_help(config->allow_rpcs)) {
		qga_print_commands();
		exit(EXIT_SUCCESS);
	}
	if (config->dump) {
		config_dump(config);
		exit(EXIT_SUCCESS);
	}
}

/* systemd's socket, if it passes one: at most one, of a kind hosts can use. */
static int find_listener(int *listener)
{
	int nr = sd_listen_fds(1);

	*listener = -1;
	if (nr <= 0)
		return nr;
	if (nr > 1) {
		log_err("only supports listening on one socket");
		return -EINVAL;
	}
	if (sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 1) <= 0 &&
	    sd_is_socket(SD_LISTEN_FDS_START, AF_VSOCK, SOCK_STREAM, 1) <= 0) {
		log_err("unsupported listen fd type");
		return -EINVAL;
	}
	*listener = SD_LISTEN_FDS_START;
	return 0;
}

static int find_channel(const struct config *config,
			struct channel_address *address)
{
	int err;

	*address = (struct channel_address){
		.method = config->method,
		.path = config->path,
		.wait = config->retry_path,
	};
	err = find_listener(&address->listener);
	if (err)
		return err;
	if (address->path || address->listener >= 0)
		return 0;
	log_err("must specify a path for this channel");
	return -EINVAL;
}

/* Root has started us by hand: the monitor is ours to start. Otherwise systemd
 * starts it when we connect. Nothing is executed after this. */
static struct monitor_client *find_monitor(const struct config *config)
{
	int fd = -1;

	if (geteuid() == 0) {
		fd = monitor_process_start(config);
		if (fd < 0)
			return NULL;
	}
	if (privdrop_agent_start())
		return NULL;
	return monitor_client_new(IPC_SOCKET, fd, config);
}

static int go_into_background(const struct config *config)
{
	const char *path = config->pidfile ? config->pidfile : CONFIG_PIDFILE;
	FILE *file;

	if (daemon(0, 0)) {
		log_err("cannot go into the background: %s", strerror(errno));
		return -errno;
	}
	file = fopen(path, "we");
	if (!file || fprintf(file, "%d\n", getpid()) < 0 || fclose(file)) {
		log_err("%s: cannot write: %s", path, strerror(errno));
		return -EIO;
	}
	return 0;
}

static int lock_memory(void)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int err;

	if (geteuid() == 0)
		setrlimit(RLIMIT_MEMLOCK, &unlimited);
	err = memory_lock();
	if (err)
		log_err("cannot lock memory: %s (set LimitMEMLOCK=infinity)",
			strerror(-err));
	return err;
}

static int serve(struct config *config)
{
	struct channel_address address;
	struct monitor_client *monitor;
	struct agent *agent = NULL;
	int err;

	err = find_channel(config, &address);
	if (err)
		return err;
	monitor = find_monitor(config);
	if (!monitor)
		return -ENOTCONN;
	err = agent_new(config, &address, monitor, &agent);
	if (!err)
		err = lock_memory();
	if (!err)
		err = privdrop_agent();
	if (!err)
		err = agent_run(agent);
	agent_free(agent);
	return err;
}

int main(int argc, char **argv)
{
	struct config config;
	int err;

	log_init(LOG_IDENT, NULL, false);
	config_set_commands(is_listable);
	if (config_load_agent(&config, argc, argv))
		return EXIT_FAILURE;
	exit_if_only_asked(&config);
	tzset(); /* reads a file, which must not happen later */
	err = log_init(LOG_IDENT, config.logfile, config.verbose);
	if (err)
		fprintf(stderr, "%s: cannot open: %s\n", config.logfile,
			strerror(-err));
	if (!err && config.daemonize)
		err = go_into_background(&config);
	if (!err)
		err = serve(&config);
	config_free(&config);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
