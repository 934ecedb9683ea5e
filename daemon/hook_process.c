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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook_group.h"
#include "hook_trust.h"

#define USEC_PER_MSEC 1000ULL
#define POLL_MS 20 /* whether a group that has to end is empty */
#define KILL_PATIENCE_MS 1000 /* a process in the kernel cannot be killed */

enum stage {
	RUNNING, /* ends with the hook itself; all others with its group */
	ENDED,
	RETIRING,
	TERMINATING,
	KILLED,
};

struct hook_process {
	struct hook_spec spec;
	struct hook_group group; /* its leader is reaped when we are freed */
	int pidfd, output_fd;
	sd_event_source *end, *readable, *timer;
	uint64_t started_us, stage_end_us; /* monotonic */
	time_t started;
	enum stage stage;
	bool exited; /* the hook itself */
	void (*retired)(void *data);
	struct hook_exit result;
	struct hook_output output;
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

static void read_output(struct hook_process *process)
{
	if (process->readable &&
	    !hook_output_read(&process->output, process->output_fd))
		process->readable = sd_event_source_disable_unref(
			process->readable);
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *data)
{
	(void)source;
	(void)fd;
	(void)events;
	read_output(data);
	return 0;
}

static void set_timer(struct hook_process *process, uint64_t usec)
{
	sd_event_source_set_time(process->timer, usec);
	sd_event_source_set_enabled(process->timer, SD_EVENT_ONESHOT);
}

static void enter(struct hook_process *process, enum stage stage,
		  uint32_t limit_ms)
{
	process->stage = stage;
	process->stage_end_us = now_us() + limit_ms * USEC_PER_MSEC;
	set_timer(process, process->stage_end_us);
}

/* Told once for the run, and once more for the retirement. */
static void tell(struct hook_process *process)
{
	process->stage = ENDED;
	sd_event_source_set_enabled(process->timer, SD_EVENT_OFF);
	read_output(process);
	if (process->retired) {
		process->retired(process->spec.data);
		return;
	}
	if (!process->exited)
		process->result.signal = SIGKILL;
	process->result.duration_ns = (now_us() - process->started_us) * 1000;
	process->spec.ended(process->spec.data, &process->result);
}

static void terminate(struct hook_process *process)
{
	hook_group_signal(&process->group, SIGTERM);
	enter(process, TERMINATING, process->spec.grace_ms);
}

static void pass_stage_end(struct hook_process *process)
{
	if (process->stage == TERMINATING) {
		hook_group_signal(&process->group, SIGKILL);
		enter(process, KILLED, KILL_PATIENCE_MS);
		return;
	}
	process->result.timed_out = process->stage == RUNNING;
	terminate(process);
}

static bool is_over(const struct hook_process *process, bool stage_is_over)
{
	if (process->exited && process->stage == RUNNING)
		return true;
	if (process->exited && hook_group_is_empty(&process->group))
		return true;
	return process->stage == KILLED && stage_is_over;
}

/* May end the process's life: whoever is told may free it. */
static void check(struct hook_process *process)
{
	uint64_t now = now_us(), next = now + POLL_MS * USEC_PER_MSEC;
	bool stage_is_over = now >= process->stage_end_us;

	if (is_over(process, stage_is_over)) {
		tell(process);
		return;
	}
	if (stage_is_over)
		pass_stage_end(process);
	if (process->stage != RUNNING)
		set_timer(process, next < process->stage_end_us
					   ? next
					   : process->stage_end_us);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	check(data);
	return 0;
}

/* Not reaped yet: its number is that of its group. */
static int on_end(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hook_process *process = data;
	siginfo_t info = {0};

	(void)source;
	(void)events;
	if (waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return 0;
	process->end = sd_event_source_disable_unref(process->end);
	process->exited = true;
	if (info.si_code == CLD_EXITED)
		process->result.exit_code = info.si_status;
	else
		process->result.signal = info.si_status;
	if (process->stage != ENDED)
		check(process);
	return 0;
}

void hook_process_stop(struct hook_process *process)
{
	if (process->stage != RUNNING)
		return;
	terminate(process);
	set_timer(process, now_us());
}

void hook_process_retire(struct hook_process *process, uint32_t limit_ms,
			 void (*retired)(void *data))
{
	process->retired = retired;
	if (process->exited)
		enter(process, RETIRING, limit_ms);
	else /* it could not be killed before, and is left to itself */
		enter(process, KILLED, 0);
	set_timer(process, now_us());
}

/* Where it cannot be set it is nobody's concern. */
static void forget_oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "0", 1) < 0)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

/* Much may have happened since the list was made, most of all until the thaw.
 * It is looked at by the child: only that may have to wait for a disk. */
static void check_trust(const char *path)
{
	char reason[256];
	int err = hook_trust_check(path, reason, sizeof(reason));

	if (!err)
		return;
	dprintf(STDERR_FILENO, "%s\n", reason);
	_exit(err == -ENOENT ? 127 : 126);
}

/* In the child. The monitor's signal mask, umask, descriptors and protection
 * against the OOM killer are no business of a hook. */
static _Noreturn void run(const struct hook_process *process, int output_fd)
{
	const struct hook_spec *spec = &process->spec;
	char *const argv[] = {(char *)spec->path, (char *)spec->argument, NULL};
	struct sigaction action = {.sa_handler = SIG_DFL};
	int null = open("/dev/null", O_RDONLY), err, i;
	sigset_t none;

	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	forget_oom_score();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0 || chdir("/"))
		_exit(126);
	err = hook_group_enter(&process->group);
	if (err) {
		dprintf(STDERR_FILENO, "cannot enter its cgroup: %s\n",
			strerror(-err));
		_exit(126);
	}
	close_range(STDERR_FILENO + 1, ~0U, 0);
	check_trust(spec->path);
	execve(spec->path, argv, spec->environment);
	err = errno;
	dprintf(STDERR_FILENO, "%s: cannot execute: %s\n", spec->path,
		strerror(err));
	_exit(err == ENOENT ? 127 : 126);
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
	hook_group_create(&process->group, process->spec.argument);
	process->group.leader = fork();
	if (process->group.leader == 0)
		run(process, fds[1]);
	err = process->group.leader < 0 ? -errno : 0;
	close(fds[1]);
	if (err)
		return err;
	process->pidfd = pidfd_open(process->group.leader, 0);
	return process->pidfd < 0 ? -errno : 0;
}

static int watch(struct hook_process *process, sd_event *event)
{
	int err;

	err = sd_event_add_io(event, &process->end, process->pidfd, EPOLLIN,
			      on_end, process);
	if (err < 0)
		return err;
	err = sd_event_add_io(event, &process->readable, process->output_fd,
			      EPOLLIN, on_output, process);
	if (err < 0)
		return err;
	process->stage_end_us = process->started_us +
				process->spec.limit_ms * USEC_PER_MSEC;
	return sd_event_add_time(event, &process->timer, CLOCK_MONOTONIC,
				 process->stage_end_us, 1000, on_timer, process);
}

int hook_process_start(struct hook_process **out, sd_event *event,
		       const struct hook_spec *spec)
{
	struct hook_process *process = calloc(1, sizeof(*process));
	int err;

	if (!process)
		return -ENOMEM;
	process->spec = *spec;
	process->group.cgroup = process->pidfd = process->output_fd = -1;
	process->result.exit_code = -1;
	process->result.limit_ms = spec->limit_ms;
	err = spawn(process);
	if (err >= 0)
		err = watch(process, event);
	if (err < 0) {
		hook_group_signal(&process->group, SIGKILL);
		hook_process_free(process);
		return err;
	}
	*out = process;
	return 0;
}

size_t hook_process_take(struct hook_process *process, char text[HOOK_OUTPUT_MAX])
{
	return hook_output_take(&process->output, text);
}

void hook_process_last_line(const struct hook_process *process, char *line,
			    size_t size)
{
	hook_output_last_line(&process->output, line, size);
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
	sd_event_source_disable_unref(process->readable);
	sd_event_source_disable_unref(process->timer);
	if (process->group.leader > 0)
		waitpid(process->group.leader, NULL, WNOHANG);
	hook_group_remove(&process->group);
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->output_fd >= 0)
		close(process->output_fd);
	free(process);
}
