// SPDX-License-Identifier: GPL-2.0
/*
 * fork and exec of a hook, without a shell. Its end is told by a pidfd, never
 * by the end of its output: lock holders live on until the thaw.
 */
#include "hook_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_ROUNDS 16 /* per wake-up, so that no hook can keep us busy */

struct hook_process {
	struct hook_spec spec;
	pid_t pid;
	int pidfd, output_fd;
	sd_event_source *end, *output, *timer;
	uint64_t started_us; /* monotonic */
	time_t started;
	struct hook_exit result;
	bool stopping;
	size_t len, taken; /* of text */
	char text[HOOK_OUTPUT_MAX];
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void keep_output(struct hook_process *process, const char *data, size_t len)
{
	size_t room = sizeof(process->text) - process->len, drop;

	if (len > room) {
		drop = len - room;
		memmove(process->text, process->text + drop, process->len - drop);
		process->len -= drop;
		process->taken -= process->taken < drop ? process->taken : drop;
	}
	memcpy(process->text + process->len, data, len);
	process->len += len;
}

static void read_output(struct hook_process *process)
{
	char data[4096];
	ssize_t len;
	int i;

	if (!process->output)
		return;
	for (i = 0; i < READ_ROUNDS; i++) {
		len = read(process->output_fd, data, sizeof(data));
		if (len > 0) {
			keep_output(process, data, len);
			continue;
		}
		if (len == 0 || errno != EAGAIN)
			process->output = sd_event_source_disable_unref(
				process->output);
		return;
	}
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	read_output(data);
	return 0;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hook_process *process = data;
	siginfo_t info = {0};

	(void)source;
	(void)events;
	if (waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG) || !info.si_pid)
		return 0;
	process->end = sd_event_source_disable_unref(process->end);
	process->timer = sd_event_source_disable_unref(process->timer);
	process->pid = 0;
	read_output(process);
	process->result.duration_ns = (now_us() - process->started_us) * 1000;
	if (info.si_code == CLD_EXITED)
		process->result.exit_code = info.si_status;
	else
		process->result.signal = info.si_status;
	process->spec.ended(process->spec.data, &process->result);
	return 0;
}

/* The whole group: a hook is often a shell that waits for something. Right
 * after the fork there is no group yet. */
static void signal_group(const struct hook_process *process, int signal)
{
	if (process->pid > 0 && kill(-process->pid, signal))
		kill(process->pid, signal);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct hook_process *process = data;

	(void)usec;
	if (process->stopping) {
		signal_group(process, SIGKILL);
		return 0;
	}
	process->result.timed_out = true;
	hook_process_stop(process);
	(void)source;
	return 0;
}

void hook_process_stop(struct hook_process *process)
{
	if (process->stopping || !process->timer)
		return;
	process->stopping = true;
	signal_group(process, SIGTERM);
	sd_event_source_set_time(process->timer,
				 now_us() + process->spec.grace_ms * 1000ULL);
	sd_event_source_set_enabled(process->timer, SD_EVENT_ONESHOT);
}

/* In the child. The monitor's signal mask, umask and descriptors are no
 * business of a hook. */
static _Noreturn void run(const struct hook_spec *spec, int output_fd)
{
	char *const argv[] = {(char *)spec->path, (char *)spec->argument, NULL};
	struct sigaction action = {.sa_handler = SIG_DFL};
	int null = open("/dev/null", O_RDONLY), i;
	sigset_t none;

	setsid();
	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0 || chdir("/"))
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execve(spec->path, argv, spec->environment);
	dprintf(STDERR_FILENO, "%s: cannot execute: %s\n", spec->path,
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int spawn(struct hook_process *process)
{
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	process->output_fd = fds[0];
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	process->started = time(NULL);
	process->started_us = now_us();
	process->pid = fork();
	if (process->pid == 0)
		run(&process->spec, fds[1]);
	err = process->pid < 0 ? -errno : 0;
	close(fds[1]);
	if (err)
		return err;
	process->pidfd = pidfd_open(process->pid, 0);
	return process->pidfd < 0 ? -errno : 0;
}

static int watch(struct hook_process *process, sd_event *event)
{
	int err;

	err = sd_event_add_io(event, &process->end, process->pidfd, EPOLLIN,
			      on_end, process);
	if (err < 0)
		return err;
	err = sd_event_add_io(event, &process->output, process->output_fd,
			      EPOLLIN, on_output, process);
	if (err < 0)
		return err;
	return sd_event_add_time(event, &process->timer, CLOCK_MONOTONIC,
				 process->started_us +
					 process->spec.limit_ms * 1000ULL,
				 1000, on_timer, process);
}

int hook_process_start(struct hook_process **out, sd_event *event,
		       const struct hook_spec *spec)
{
	struct hook_process *process = calloc(1, sizeof(*process));
	int err;

	if (!process)
		return -ENOMEM;
	process->spec = *spec;
	process->pidfd = process->output_fd = -1;
	process->result.exit_code = -1;
	process->result.limit_ms = spec->limit_ms;
	err = spawn(process);
	if (err >= 0)
		err = watch(process, event);
	if (err < 0) {
		signal_group(process, SIGKILL);
		hook_process_free(process);
		return err;
	}
	*out = process;
	return 0;
}

size_t hook_process_take(struct hook_process *process, const char **output)
{
	size_t len;

	read_output(process);
	*output = process->text + process->taken;
	len = process->len - process->taken;
	process->taken = process->len;
	return len;
}

void hook_process_last_line(const struct hook_process *process, char *line,
			    size_t size)
{
	const char *text = process->text;
	size_t end = process->len, start, i;

	while (end && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	for (start = end; start && text[start - 1] != '\n'; start--)
		;
	for (i = 0; start + i < end && i < size - 1; i++)
		line[i] = (unsigned char)text[start + i] < ' ' ? ' '
							       : text[start + i];
	line[i] = '\0';
}

time_t hook_process_started(const struct hook_process *process)
{
	return process->started;
}

void hook_process_free(struct hook_process *process)
{
	if (!process)
		return;
	sd_event_source_disable_unref(process->end);
	sd_event_source_disable_unref(process->output);
	sd_event_source_disable_unref(process->timer);
	if (process->pid > 0)
		waitpid(process->pid, NULL, WNOHANG);
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->output_fd >= 0)
		close(process->output_fd);
	free(process);
}
