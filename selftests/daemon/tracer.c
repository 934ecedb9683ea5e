// SPDX-License-Identifier: GPL-2.0
/*
 * A process of its own: one that traces must wait for its tracees all the time.
 * The record is in memory shared with the test.
 */
#include "tracer.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/ptrace.h>

#define MAX_CALLS 65536
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

static struct record {
	_Atomic size_t nr;
	struct tracer_call calls[MAX_CALLS];
} * record;

static _Noreturn void die(const char *what)
{
	printf("# tracer: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static bool peek(pid_t tid, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};

	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static void record_request(struct tracer_call *call)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
	} message;
	struct msghdr msg;
	struct iovec part;

	if (call->nr != SYS_sendmsg ||
	    !peek(call->tid, call->args[1], &msg, sizeof(msg)) ||
	    !peek(call->tid, (uintptr_t)msg.msg_iov, &part, sizeof(part)) ||
	    part.iov_len < sizeof(message) ||
	    !peek(call->tid, (uintptr_t)part.iov_base, &message, sizeof(message)))
		return;
	call->family = message.header.nlmsg_type;
	call->command = message.generic.cmd;
}

static void record_call(pid_t tid)
{
	struct ptrace_syscall_info info;
	struct tracer_call *call;
	size_t nr = record->nr;
	char link[64];
	ssize_t len;
	int i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || nr == MAX_CALLS)
		return;
	call = &record->calls[nr];
	call->tid = tid;
	call->nr = info.entry.nr;
	for (i = 0; i < 4; i++)
		call->args[i] = info.entry.args[i];
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", tid, (int)call->args[0]);
	len = readlink(link, call->fd_name, sizeof(call->fd_name) - 1);
	call->fd_name[len > 0 ? len : 0] = '\0';
	record_request(call);
	record->nr = nr + 1;
}

/* What to do with a stopped tracee: the signal it gets, if any. */
static int handle_stop(pid_t tid, int status)
{
	int sig = WSTOPSIG(status);

	if (sig == SYSCALL_STOP) {
		record_call(tid);
		return 0;
	}
	return status >> 16 || sig == SIGTRAP ? 0 : sig;
}

static _Noreturn void trace(pid_t pid, int ready)
{
	int status;
	pid_t tid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
	    waitpid(pid, &status, __WALL) != pid ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) || write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			ptrace(PTRACE_SYSCALL, tid, NULL,
			       handle_stop(tid, status));
	}
	_exit(EXIT_SUCCESS);
}

void tracer_start(pid_t pid)
{
	int ready[2];
	pid_t tracer;
	char byte;

	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (record == MAP_FAILED || pipe(ready))
		die("cannot start");
	tracer = fork();
	if (tracer < 0)
		die("cannot fork");
	if (!tracer)
		trace(pid, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("cannot trace");
	close(ready[0]);
}

size_t tracer_count(void)
{
	return record->nr;
}

const struct tracer_call *tracer_call(size_t index)
{
	return &record->calls[index];
}
