// SPDX-License-Identifier: GPL-2.0
/*
 * The backend without the module: a freezer and a guard process per cycle. The
 * monitor keeps the descriptors until the cycle is over, to start another
 * guard should both die.
 */
#include "freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_child.h"
#include "freezer_list.h"
#include "freezer_rescue.h"
#include "seqpacket.h"
#include "version.h"

#define MAX_CHILDREN 48 /* more are there only if many cycles got stuck */
#define CHILDREN_PER_CYCLE 3 /* freezer, guard, another guard */

static struct {
	int epoll_fd;
	int children[MAX_CHILDREN]; /* pidfds to be reaped, or -1 */
	/* the cycle under way, or the last one: its records */
	struct child_cycle *cycle;
	size_t cycle_size;
	char list[LIST_NAME_SIZE]; /* that it is in, or "" */
	int lock_fd; /* of the list while children are started, or -1 */
	bool descriptors_are_open; /* those in cycle: the children's have the
				    * same numbers, so these stay as they are */
	bool under_way;
	int fd; /* to the children; at its end when both are dead, or -1 */
	int freezer_pidfd;
	bool guard_replaced, rescued; /* once is enough, or it is no use */
} state;

static int ioctl_open(int epoll_fd)
{
	size_t i;

	state.epoll_fd = epoll_fd;
	state.fd = state.freezer_pidfd = state.lock_fd = -1;
	for (i = 0; i < MAX_CHILDREN; i++)
		state.children[i] = -1;
	return 0;
}

static int watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(state.epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* True if one has ended. */
static bool reap_children(void)
{
	bool any = false;
	siginfo_t info;
	size_t i;

	for (i = 0; i < MAX_CHILDREN; i++) {
		info.si_pid = 0;
		if (state.children[i] < 0 ||
		    waitid(P_PIDFD, state.children[i], &info, WEXITED | WNOHANG) ||
		    !info.si_pid)
			continue;
		close(state.children[i]);
		state.children[i] = -1;
		any = true;
	}
	return any;
}

static bool has_room_for_children(void)
{
	size_t i, nr = 0;

	for (i = 0; i < MAX_CHILDREN; i++)
		nr += state.children[i] < 0;
	return nr >= CHILDREN_PER_CYCLE;
}

/* Remember a child. A pidfd of the caller's own, or -errno. */
static int adopt(pid_t pid)
{
	int pidfd = pidfd_open(pid, 0);
	size_t i;
	int err;

	if (pidfd < 0)
		return -errno;
	for (i = 0; i < MAX_CHILDREN - 1 && state.children[i] >= 0; i++)
		;
	state.children[i] = pidfd;
	err = watch(pidfd);
	if (err)
		return err;
	pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	return pidfd < 0 ? -errno : pidfd;
}

/* FIFREEZE needs a real descriptor. A socket or device has none to give that
 * would not do something else: the filesystem is left out. */
static int open_target(struct child_target *target,
		       const struct freezer_target *from)
{
	struct stat st;

	if (fstat(from->fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		target->state = KFREEZE_TARGET_FAILED;
		target->step = KFREEZE_STEP_FREEZE;
		target->err = -EOPNOTSUPP;
		return 0;
	}
	target->fd = child_open(from->fd);
	if (target->fd < 0)
		return target->fd;
	return child_identify(target->fd, from->dev, &target->identity);
}

static void close_descriptors(void)
{
	const struct child_cycle *cycle = state.cycle;
	size_t i;

	if (!state.descriptors_are_open)
		return;
	for (i = 0; i < cycle->nr_targets; i++) {
		if (cycle->targets[i].fd >= 0)
			close(cycle->targets[i].fd);
	}
	if (cycle->rcu_fd >= 0)
		close(cycle->rcu_fd);
	state.descriptors_are_open = false;
}

static void close_lock(void)
{
	if (state.lock_fd >= 0)
		close(state.lock_fd);
	state.lock_fd = -1;
}

/* A list that has work left is for a rescue, once the children are dead. */
static void remove_list(void)
{
	if (child_is_settled(state.cycle))
		list_remove(state.list);
}

static void free_cycle(void)
{
	if (!state.cycle)
		return;
	remove_list();
	close_lock();
	close_descriptors();
	munmap(state.cycle, state.cycle_size);
	state.cycle = NULL;
	if (state.fd >= 0)
		close(state.fd);
	if (state.freezer_pidfd >= 0)
		close(state.freezer_pidfd);
	state.fd = state.freezer_pidfd = -1;
	state.under_way = state.guard_replaced = state.rescued = false;
}

/* The target before this one on its disk, or -1. */
static long find_before(const struct freezer_request *request, size_t index)
{
	unsigned int disk = request->targets[index].disk;
	long i = index;

	do
		i--;
	while (i >= 0 && (!disk || request->targets[i].disk != disk));
	return i;
}

static int make_cycle(struct freezer_request *request)
{
	struct child_cycle *cycle;
	size_t size, i;
	int err;

	size = sizeof(*cycle) + request->nr_targets * sizeof(*cycle->targets);
	cycle = list_create(size, state.list, &state.lock_fd);
	if (!cycle)
		return -ENOMEM;
	strcpy(cycle->version, KFREEZED_VERSION);
	cycle->lock_fd = state.lock_fd;
	cycle->timeout_ms = request->timeout_ms;
	cycle->flush_timeout_ms = request->flush_timeout_ms;
	cycle->nr_targets = request->nr_targets;
	cycle->rcu_fd = -1;
	for (i = 0; i < request->nr_targets; i++) {
		cycle->targets[i].fd = -1;
		cycle->targets[i].level = request->targets[i].level;
		cycle->targets[i].flush_after = find_before(request, i);
		cycle->targets[i].accept_foreign = request->accept_foreign;
	}
	state.cycle = cycle;
	state.cycle_size = size;
	state.descriptors_are_open = true;
	for (i = 0; i < request->nr_targets; i++) {
		err = open_target(&cycle->targets[i], &request->targets[i]);
		if (!err)
			continue;
		request->blamed = i;
		return err;
	}
	child_open_rcu(cycle);
	return 0;
}

/* Start a guard for the freezer at the other end of @freezer_fd. */
static int start_guard(int monitor_fd, int freezer_fd)
{
	pid_t pid = fork();
	int pidfd;

	if (pid < 0)
		return -errno;
	if (!pid)
		child_run_guard(state.cycle, monitor_fd, freezer_fd,
				state.freezer_pidfd);
	pidfd = adopt(pid);
	if (pidfd < 0)
		return pidfd;
	close(pidfd);
	return 0;
}

static int start_freezer(int monitor_fd, int guard_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		child_run_freezer(state.cycle, monitor_fd, guard_fd);
	state.freezer_pidfd = adopt(pid);
	return state.freezer_pidfd < 0 ? state.freezer_pidfd : 0;
}

/* Two pairs of sockets: monitor to both children, freezer to guard. Whoever
 * fails here leaves the others with an end, upon which they end too. */
static int start_children(void)
{
	int outer[2] = {-1, -1}, inner[2] = {-1, -1};
	int err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, outer))
		return -errno;
	state.fd = outer[0];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, inner)) {
		err = -errno;
		close(outer[1]);
		return err;
	}
	err = start_freezer(outer[1], inner[0]);
	close(inner[0]);
	if (!err)
		err = start_guard(outer[1], inner[1]);
	close(inner[1]);
	close(outer[1]);
	return err ? err : watch(state.fd);
}

static int ioctl_freeze(struct freezer_request *request)
{
	int err;

	if (state.under_way)
		return -EBUSY;
	reap_children();
	if (!has_room_for_children()) {
		snprintf(request->text, sizeof(request->text),
			 "too many freezes are stuck in the kernel");
		return -EBUSY;
	}
	free_cycle();
	err = make_cycle(request);
	if (!err)
		err = start_children();
	if (err) {
		free_cycle();
		return err;
	}
	/* children keep it locked, and not whatever else we fork meanwhile */
	close_lock();
	state.under_way = true;
	return 0;
}

static int ioctl_thaw(void)
{
	char packet = CHILD_THAW;

	if (!state.under_way)
		return -ESRCH;
	/* if nobody is there to read it, they thaw or have thawed anyway */
	send(state.fd, &packet, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return 0;
}

static void end_cycle(void)
{
	remove_list();
	close_descriptors();
	close(state.fd);
	close(state.freezer_pidfd);
	state.fd = state.freezer_pidfd = -1;
	state.under_way = state.guard_replaced = false;
}

/* Both children died without a last word: another guard, which finds the
 * freezer dead and thaws. */
static int replace_guard(void)
{
	int outer[2], inner[2], err;

	if (state.guard_replaced)
		return -EPIPE;
	state.guard_replaced = true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, outer))
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, inner)) {
		err = -errno;
		close(outer[0]);
		close(outer[1]);
		return err;
	}
	close(state.fd);
	state.fd = outer[0];
	close(inner[0]);
	state.lock_fd = *state.list ? list_lock(state.list, false) : -1;
	state.cycle->lock_fd = state.lock_fd;
	err = start_guard(outer[1], inner[1]);
	close_lock();
	close(inner[1]);
	close(outer[1]);
	return err ? err : watch(state.fd);
}

/* The cycle is over and nobody lives who would thaw what it has left. */
static bool is_abandoned(void)
{
	int fd;

	if (state.under_way || !state.cycle || child_is_settled(state.cycle) ||
	    !*state.list)
		return false;
	fd = list_lock(state.list, false);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void rescue_if_abandoned(void)
{
	pid_t pid;
	int fd;

	if (state.rescued || !is_abandoned())
		return;
	state.rescued = true;
	pid = rescue_spawn();
	fd = pid > 0 ? adopt(pid) : -1;
	if (fd >= 0)
		close(fd);
}

static void notice_frozen(struct freezer_notice *notice)
{
	size_t i;

	*notice = (struct freezer_notice){.state = KFREEZE_STATE_FROZEN,
					  .blamed = -1};
	for (i = 0; i < state.cycle->nr_targets; i++)
		notice->nr_frozen += !child_is_left_out(&state.cycle->targets[i]);
}

static void notice_over(struct freezer_notice *notice)
{
	const struct child_cycle *cycle = state.cycle;

	*notice = (struct freezer_notice){
		.state = KFREEZE_STATE_IDLE,
		.verdict = cycle->verdict,
		.cause = cycle->cause,
		.nr_frozen = cycle->nr_frozen,
		.nr_stuck = cycle->nr_stuck,
		.blamed = cycle->blamed,
	};
}

/* Nobody is left to say how it ended. */
static void notice_lost(struct freezer_notice *notice)
{
	*notice = (struct freezer_notice){
		.state = KFREEZE_STATE_IDLE,
		.verdict = KFREEZE_VERDICT_LOST,
		.cause = KFREEZE_CAUSE_OWNER,
		.blamed = -1,
	};
}

static int ioctl_dispatch(struct freezer_notice *notice)
{
	char packet;
	ssize_t len;

	if (reap_children())
		rescue_if_abandoned();
	if (!state.under_way)
		return -EAGAIN;
	len = seqpacket_receive(state.fd, &packet, 1, MSG_DONTWAIT);
	if (len < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (len == 1 && packet == CHILD_FROZEN) {
		notice_frozen(notice);
		return 0;
	}
	if (len == 1 && packet == CHILD_OVER) {
		notice_over(notice);
		end_cycle();
		return 0;
	}
	if (!replace_guard())
		return -EAGAIN;
	notice_lost(notice);
	end_cycle();
	rescue_if_abandoned();
	return 0;
}

static int ioctl_records(struct freezer_target *targets, size_t nr)
{
	const struct child_target *from;
	size_t i;

	if (!state.cycle || nr != state.cycle->nr_targets)
		return -ESRCH;
	for (i = 0; i < nr; i++) {
		from = &state.cycle->targets[i];
		targets[i].state = from->state;
		targets[i].step = from->step;
		targets[i].err = from->err;
		targets[i].flush_ns = from->flush_ns;
		targets[i].freeze_ns = from->freeze_ns;
		targets[i].hold_ns = from->hold_ns;
		targets[i].thaw_ns = from->thaw_ns;
	}
	return 0;
}

/* The children thaw when their monitor's end of the socket is closed. */
static void ioctl_close(void)
{
	free_cycle();
}

const struct freezer_ops freezer_ioctl = {
	.name = "ioctl",
	.weaker = FREEZER_IOCTL_WEAKER,
	.open = ioctl_open,
	.freeze = ioctl_freeze,
	.thaw = ioctl_thaw,
	.dispatch = ioctl_dispatch,
	.records = ioctl_records,
	.close = ioctl_close,
};
