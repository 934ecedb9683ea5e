// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the host's commands in a test guest, over a virtio-serial port. It
 * writes no file and no log, so it works while every filesystem is frozen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_JOBS 32
#define MAX_COMMAND (120 * 1024) /* one argument of exec is at most 128 KiB */

/* Guest and host are the same machine: host byte order. guest.py has a copy. */
enum message_type {
	MSG_HELLO = 1, /* guest: I am here, id 0 */
	MSG_RUN, /* host: run this command as job id */
	MSG_KILL, /* host: SIGKILL the process group of job id */
	MSG_STDOUT, /* guest: output of job id */
	MSG_STDERR,
	MSG_EXIT, /* guest: u32, as a shell's $?; the last message of job id */
};

struct message {
	uint32_t type;
	uint32_t id;
	uint32_t len; /* of the payload which follows */
};

struct job {
	pid_t pid; /* 0: free */
	uint32_t id;
	int output[2]; /* read ends of its stdout and stderr */
};

static struct job jobs[MAX_JOBS];
static int port = -1;

/* The host went away or the port broke: nobody is left to serve. */
static void give_up(const char *what)
{
	fprintf(stderr, "guest_exec: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_for(short events)
{
	struct pollfd pfd = {.fd = port, .events = events};

	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			give_up("poll");
}

static void port_write(const void *buf, size_t len)
{
	while (len > 0) {
		ssize_t done = write(port, buf, len);

		if (done < 0 && errno == EAGAIN)
			wait_for(POLLOUT);
		else if (done < 0 && errno != EINTR)
			give_up("write");
		if (done > 0) {
			buf = (const char *)buf + done;
			len -= done;
		}
	}
}

static void port_read(void *buf, size_t len)
{
	while (len > 0) {
		ssize_t done = read(port, buf, len);

		if (done == 0) {
			errno = ENOTCONN;
			give_up("read");
		}
		if (done < 0 && errno == EAGAIN)
			wait_for(POLLIN);
		else if (done < 0 && errno != EINTR)
			give_up("read");
		if (done > 0) {
			buf = (char *)buf + done;
			len -= done;
		}
	}
}

static void send_message(uint32_t type, uint32_t id, const void *payload,
			 uint32_t len)
{
	struct message msg = {.type = type, .id = id, .len = len};

	port_write(&msg, sizeof(msg));
	port_write(payload, len);
}

/* Returns false once there is nothing to read now. */
static bool forward_output(struct job *job, int stream)
{
	char buf[4096];
	ssize_t len;

	if (job->output[stream] < 0)
		return false;
	len = read(job->output[stream], buf, sizeof(buf));
	if (len > 0) {
		send_message(MSG_STDOUT + stream, job->id, buf, len);
		return true;
	}
	if (len == 0) {
		close(job->output[stream]);
		job->output[stream] = -1;
	}
	return false;
}

/* Never waits for the end of the output: a background process may hold it. */
static void job_end(struct job *job, int status)
{
	uint32_t code = WIFEXITED(status) ? WEXITSTATUS(status)
					  : 128 + WTERMSIG(status);
	int stream;

	for (stream = 0; stream < 2; stream++) {
		while (forward_output(job, stream))
			;
		if (job->output[stream] >= 0)
			close(job->output[stream]);
	}
	send_message(MSG_EXIT, job->id, &code, sizeof(code));
	job->pid = 0;
}

static void reap_jobs(void)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < MAX_JOBS; i++)
			if (jobs[i].pid == pid)
				job_end(&jobs[i], status);
}

static void run_child(const char *command, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static struct job *job_find(pid_t pid, uint32_t id)
{
	int i;

	for (i = 0; i < MAX_JOBS; i++)
		if (jobs[i].pid == pid || (pid < 0 && jobs[i].id == id))
			return &jobs[i];
	return NULL;
}

static void job_start(uint32_t id, const char *command)
{
	struct job *job = job_find(0, 0);
	int out[2], err[2];

	if (!job) {
		errno = EAGAIN;
		give_up("too many jobs");
	}
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		give_up("pipe");
	job->pid = fork();
	if (job->pid < 0)
		give_up("fork");
	if (job->pid == 0)
		run_child(command, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	job->id = id;
	job->output[0] = out[0];
	job->output[1] = err[0];
}

static void handle_message(void)
{
	static char command[MAX_COMMAND + 1];
	struct message msg;
	struct job *job;

	port_read(&msg, sizeof(msg));
	if (msg.len > MAX_COMMAND) {
		errno = EMSGSIZE;
		give_up("command");
	}
	port_read(command, msg.len);
	command[msg.len] = '\0';
	if (msg.type == MSG_RUN) {
		job_start(msg.id, command);
	} else if (msg.type == MSG_KILL) {
		job = job_find(-1, msg.id);
		if (job && job->pid > 0)
			kill(-job->pid, SIGKILL);
	}
}

static void serve(int sigfd)
{
	struct pollfd pfds[2 + 2 * MAX_JOBS] = {
		{.fd = port, .events = POLLIN},
		{.fd = sigfd, .events = POLLIN},
	};
	struct signalfd_siginfo info;
	int i;

	for (i = 0; i < 2 * MAX_JOBS; i++) {
		struct job *job = &jobs[i / 2];

		pfds[2 + i].fd = job->pid ? job->output[i % 2] : -1;
		pfds[2 + i].events = POLLIN;
	}
	if (poll(pfds, 2 + 2 * MAX_JOBS, -1) < 0)
		give_up("poll");
	for (i = 0; i < 2 * MAX_JOBS; i++)
		if (pfds[2 + i].revents)
			forward_output(&jobs[i / 2], i % 2);
	if (pfds[1].revents && read(sigfd, &info, sizeof(info)) > 0)
		reap_jobs();
	if (pfds[0].revents)
		handle_message();
}

int main(int argc, char **argv)
{
	sigset_t chld;
	int sigfd;

	if (argc != 2) {
		fprintf(stderr, "usage: guest_exec PORT\n");
		return 2;
	}
	port = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (port < 0)
		give_up(argv[1]);
	/* A page of ours written to swap could not come back in time. */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);
	if (sigfd < 0)
		give_up("signalfd");
	send_message(MSG_HELLO, 0, NULL, 0);
	for (;;)
		serve(sigfd);
}
