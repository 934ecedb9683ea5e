// SPDX-License-Identifier: GPL-2.0
/*
 * The monitor beside our own program, else the installed one, on a socketpair
 * that is its descriptor 3. It ends when the agent's end of it closes.
 */
#include "monitor_process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#define INSTALLED "/usr/sbin/kfreeze-monitor"
#define AGENT_FD 3

struct arguments {
	char program[PATH_MAX];
	char file[PATH_MAX + 16], hook[PATH_MAX + 16];
	char *argv[8];
};

static void find_program(char *program, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	snprintf(program, size, "%s", INSTALLED);
	if (len <= 0)
		return;
	self[len] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	if ((size_t)snprintf(program, size, "%s/kfreeze-monitor", self) >= size ||
	    access(program, X_OK))
		snprintf(program, size, "%s", INSTALLED);
}

/* What of our own command line is the monitor's business. */
static void build_arguments(const struct config *config, struct arguments *args)
{
	static char agent_fd[] = "--agent-fd=3", verbose[] = "--verbose";
	static char private[] = "--private";
	char **next = args->argv;

	find_program(args->program, sizeof(args->program));
	*next++ = args->program;
	*next++ = agent_fd;
	if (config->verbose)
		*next++ = verbose;
	if (config->private)
		*next++ = private;
	if (config->file) {
		snprintf(args->file, sizeof(args->file), "--config=%s",
			 config->file);
		*next++ = args->file;
	}
	if (config->fsfreeze_hook) {
		snprintf(args->hook, sizeof(args->hook), "--fsfreeze-hook=%s",
			 *config->fsfreeze_hook ? config->fsfreeze_hook
						: "/dev/null");
		*next++ = args->hook;
	}
	*next = NULL;
}

static _Noreturn void become_monitor(struct arguments *args, int fd)
{
	/* dup2() onto itself would leave close-on-exec set */
	if (fd == AGENT_FD)
		fd = dup(fd);
	if (fd >= 0 && dup2(fd, AGENT_FD) == AGENT_FD)
		execv(args->program, args->argv);
	log_err("%s: cannot start: %s", args->program, strerror(errno));
	_exit(127);
}

int monitor_process_start(const struct config *config)
{
	struct arguments args;
	int fds[2], err;
	pid_t pid;

	build_arguments(config, &args);
	if (access(args.program, X_OK)) {
		err = -errno;
		log_err("%s: cannot start: %s", args.program, strerror(-err));
		return err;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, fds)) {
		err = -errno;
		log_err("socketpair: %s", strerror(-err));
		return err;
	}
	pid = fork();
	if (pid == 0)
		become_monitor(&args, fds[1]);
	err = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err) {
		log_err("fork: %s", strerror(-err));
		close(fds[0]);
		return err;
	}
	/* its end is told by the socket */
	signal(SIGCHLD, SIG_IGN);
	return fds[0];
}
