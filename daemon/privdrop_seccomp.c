// SPDX-License-Identifier: GPL-2.0
/*
 * System calls as allow lists. The agent makes its descriptors and gives up
 * its privileges, then serves: a list for each. The freezer has all its
 * descriptors, threads and memory when its filter is loaded.
 */
#include "privdrop_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "log.h"

/* Only if (argument & mask) == value. */
struct limited {
	int call;
	struct scmp_arg_cmp argument;
};

struct role {
	const int *plain;
	size_t nr_plain;
	const struct limited *limited;
	size_t nr_limited;
	const struct role *more; /* or NULL */
};

static const int agent_start_plain[] = {
	/* the port or the listener, the loop, the monitor */
	SCMP_SYS(bind),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(listen),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(umask),
	SCMP_SYS(unlink),
	/* to lock memory, to drop privileges, and to read back what is left */
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(getgroups),
	SCMP_SYS(getresgid),
	SCMP_SYS(getresuid),
	SCMP_SYS(mlockall),
	SCMP_SYS(prctl),
	SCMP_SYS(prlimit64),
	SCMP_SYS(setgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(setresgid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setuid),
	/* the filter that follows */
	SCMP_SYS(seccomp),
};

static const struct limited agent_start_limited[] = {
	{SCMP_SYS(socket), {0, SCMP_CMP_EQ, AF_VSOCK, 0}},
};

/* Both when it starts and when it serves. */
static const int agent_plain[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(memfd_create), /* for the journal, if memory is short */
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(read),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(signalfd4), /* the end of the loop changes it */
	SCMP_SYS(tgkill), /* abort() */
	/* sd_notify() compares them */
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

static const struct limited agent_limited[] = {
	/* the port again, read and written as it is, never made */
	{SCMP_SYS(openat),
	 {2, SCMP_CMP_MASKED_EQ, O_CREAT | O_TRUNC | O_APPEND | O_TMPFILE, 0}},
	/* memory is never executable */
	{SCMP_SYS(mmap), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	{SCMP_SYS(mprotect), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	/* to read back that there is a filter */
	{SCMP_SYS(prctl), {0, SCMP_CMP_EQ, PR_GET_SECCOMP, 0}},
	/* the monitor, the journal, systemd */
	{SCMP_SYS(socket), {0, SCMP_CMP_EQ, AF_UNIX, 0}},
	{SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_ADD_SEALS, 0}},
	{SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFL, 0}},
	{SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_SETFL, 0}},
	{SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_GETFD, 0}},
	{SCMP_SYS(fcntl), {1, SCMP_CMP_EQ, F_SETFD, 0}},
	/* a serial port that is opened again */
	{SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, TCGETS, 0}},
	{SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, TCSETS, 0}},
	{SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, TCFLSH, 0}},
};

static const int freezer_plain[] = {
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pwrite64), /* rcu_expedited */
	SCMP_SYS(read),
	SCMP_SYS(recvfrom),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sendto),
	SCMP_SYS(syncfs),
	SCMP_SYS(write),
};

static const struct limited freezer_limited[] = {
	{SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, FIFREEZE, 0}},
	{SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, FITHAW, 0}},
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static const struct role agent = {
	agent_plain, NR(agent_plain), agent_limited, NR(agent_limited), NULL,
};

static const struct role agent_start = {
	agent_start_plain,
	NR(agent_start_plain),
	agent_start_limited,
	NR(agent_start_limited),
	&agent,
};

static const struct role freezer = {
	freezer_plain, NR(freezer_plain), freezer_limited, NR(freezer_limited),
	NULL,
};

static int add_rules(scmp_filter_ctx filter, const struct role *role)
{
	size_t i;
	int err;

	for (i = 0; i < role->nr_plain; i++) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, role->plain[i], 0);
		if (err)
			return err;
	}
	for (i = 0; i < role->nr_limited; i++) {
		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					     role->limited[i].call, 1,
					     &role->limited[i].argument);
		if (err)
			return err;
	}
	return role->more ? add_rules(filter, role->more) : 0;
}

static int load(const struct role *role)
{
	scmp_filter_ctx filter;
	int err;

	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	err = add_rules(filter, role);
	if (!err) /* for all threads */
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	if (err)
		log_err("seccomp: cannot load the filter: %s", strerror(-err));
	return err;
}

int privdrop_filter_agent_start(void)
{
	return load(&agent_start);
}

int privdrop_filter_agent(void)
{
	return load(&agent);
}

int privdrop_filter_freezer(void)
{
	return load(&freezer);
}
