// SPDX-License-Identifier: GPL-2.0
/*
 * For each list whose processes are all dead: find its filesystems by any mount
 * there is now, and start a guard for them. Writes to no disk.
 */
#include "freezer_rescue.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_child.h"
#include "freezer_list.h"
#include "log.h"
#include "mounts.h"
#include "seqpacket.h"
#include "version.h"

#define WAIT_S 10 /* for the living, who thaw at once if they can */
#define START_MS 3000 /* then a start goes on without the result */
#define GUARD_MS 10000 /* for the guard's last word */
#define PROGRAM "/proc/self/exe"

static bool is_valid(const struct child_cycle *cycle, size_t size)
{
	const size_t room = size - sizeof(*cycle);

	return size >= sizeof(*cycle) &&
	       !strncmp(cycle->version, KFREEZED_VERSION, CHILD_VERSION_SIZE) &&
	       !(room % sizeof(*cycle->targets)) &&
	       room / sizeof(*cycle->targets) == cycle->nr_targets;
}

/* Readable when no thread of the cycle's freezer is left. */
static int open_freezer(const struct child_cycle *cycle)
{
	int fd = -1;

	if (cycle->freezer_pid > 0)
		fd = pidfd_open(cycle->freezer_pid, 0);
	if (fd >= 0 &&
	    list_process_start(cycle->freezer_pid) == cycle->freezer_start)
		return fd;
	if (fd >= 0)
		close(fd);
	return eventfd(1, EFD_CLOEXEC);
}

/* Through whichever of its mounts. */
static int open_device(const struct mounts *mounts, dev_t dev)
{
	char text[MOUNTS_TEXT_MAX];
	struct mounts_target target;
	struct mounts_skip skip;
	struct mounts one = *mounts;
	size_t i;
	int fd;

	one.targets = &target;
	one.skips = &skip;
	one.nr_targets = one.nr_skips = 0;
	for (i = 0; i < mounts->nr_targets && !one.nr_targets; i++) {
		target = mounts->targets[i];
		one.nr_targets = target.dev == dev;
	}
	if (!one.nr_targets || mounts_open(&one, text) || !one.nr_targets)
		return -ENOENT;
	fd = child_open(target.fd);
	close(target.fd);
	return fd;
}

/* What is not found, or is another filesystem by now, is given up. */
static void open_target(const struct mounts *mounts, struct child_target *target)
{
	const struct child_identity *wanted = &target->identity;
	struct child_identity found;

	target->fd = -1;
	if (!child_is_under_way(target))
		return;
	target->fd = open_device(mounts, wanted->dev);
	if (target->fd >= 0 && !child_identify(target->fd, wanted->dev, &found) &&
	    !memcmp(&found, wanted, sizeof(found)))
		return;
	log_err("device %u:%u: cannot thaw: no mount of it was found",
		major(wanted->dev), minor(wanted->dev));
	if (target->fd >= 0)
		close(target->fd);
	target->fd = -1;
	target->state = KFREEZE_TARGET_LOST;
}

static int open_targets(struct child_cycle *cycle)
{
	char text[MOUNTS_TEXT_MAX];
	struct mounts mounts;
	size_t i;
	int err;

	err = mounts_read(&mounts, &mounts_query_system, text);
	if (err)
		log_err("%s", text);
	for (i = 0; !err && i < cycle->nr_targets; i++)
		open_target(&mounts, &cycle->targets[i]);
	mounts_free(&mounts);
	return err;
}

static void close_targets(const struct child_cycle *cycle)
{
	size_t i;

	for (i = 0; i < cycle->nr_targets; i++) {
		if (cycle->targets[i].fd >= 0)
			close(cycle->targets[i].fd);
	}
	if (cycle->rcu_fd >= 0)
		close(cycle->rcu_fd);
}

/* The guard stays if something is stuck, and thaws it when it can. */
static int run_guard(struct child_cycle *cycle)
{
	struct pollfd fd = {.events = POLLIN};
	int ends[2], freezer, err = 0;
	char packet;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	freezer = open_freezer(cycle);
	pid = fork();
	if (pid == 0)
		child_run_rescue(cycle, ends[1], freezer);
	close(ends[1]);
	close(freezer);
	fd.fd = ends[0];
	if (pid < 0 || poll(&fd, 1, GUARD_MS) != 1 ||
	    seqpacket_receive(ends[0], &packet, 1, 0) != 1)
		err = -EIO;
	close(ends[0]);
	return err;
}

static int thaw(struct child_cycle *cycle, int lock_fd)
{
	size_t i, nr = 0;
	int err;

	cycle->lock_fd = lock_fd;
	child_open_rcu(cycle);
	err = open_targets(cycle);
	if (err)
		return err;
	for (i = 0; i < cycle->nr_targets; i++)
		nr += cycle->targets[i].fd >= 0;
	err = run_guard(cycle);
	close_targets(cycle);
	if (err)
		log_err("cannot thaw what a killed process left frozen: %s",
			strerror(-err));
	else if (nr)
		log_warn("thawed %zu filesystems that a killed process left "
			 "frozen",
			 nr - cycle->nr_stuck);
	return !err && cycle->nr_stuck ? -EBUSY : err;
}

static int rescue_locked(const char *name, int lock_fd)
{
	struct child_cycle *cycle;
	size_t size = 0;
	int err = 0;

	cycle = list_map(lock_fd, &size);
	if (!cycle || !is_valid(cycle, size))
		log_err("%s/%s: dropped: not a list of this version",
			LIST_DIRECTORY, name);
	else if (!atomic_load(&cycle->finished))
		err = thaw(cycle, lock_fd);
	if (!err)
		list_remove(name);
	if (cycle)
		munmap(cycle, size);
	return err;
}

/* -EWOULDBLOCK or -EINTR if somebody else holds it. */
static int rescue_list(const char *name, bool wait)
{
	int lock_fd = list_lock(name, wait), err;

	if (lock_fd == -ENOENT) /* removed meanwhile */
		return 0;
	if (lock_fd < 0)
		return lock_fd;
	err = rescue_locked(name, lock_fd);
	close(lock_fd);
	return err;
}

/* The first error; -EWOULDBLOCK before all others. */
static int rescue_lists(bool wait)
{
	DIR *dir = list_open();
	const char *name;
	int first = 0, err;

	while (dir && (name = list_next(dir))) {
		err = rescue_list(name, wait);
		if (err == -EWOULDBLOCK || (err && !first))
			first = err;
	}
	if (dir)
		closedir(dir);
	return first;
}

static void on_alarm(int signal)
{
	(void)signal;
}

int rescue_run(void)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	int err;

	log_hold();
	err = rescue_lists(false);
	/* what is stuck has a guard of ours by now, which may wait for long */
	if (err == -EWOULDBLOCK) {
		sigaction(SIGALRM, &action, NULL);
		alarm(WAIT_S);
		err = rescue_lists(true);
		alarm(0);
	}
	log_release();
	return err ? -EBUSY : 0;
}

static void end_freezer(const struct child_cycle *cycle, size_t size)
{
	if (is_valid(cycle, size) && !atomic_load(&cycle->finished) &&
	    cycle->freezer_pid > 0 &&
	    list_process_start(cycle->freezer_pid) == cycle->freezer_start)
		kill(cycle->freezer_pid, SIGKILL);
}

void rescue_end_living(void)
{
	DIR *dir = list_open();
	struct child_cycle *cycle;
	const char *name;
	size_t size;

	while (dir && (name = list_next(dir))) {
		cycle = list_peek(name, &size);
		if (!cycle)
			continue;
		end_freezer(cycle, size);
		munmap(cycle, size);
	}
	if (dir)
		closedir(dir);
}

static bool has_lists(void)
{
	DIR *dir = list_open();
	bool found = dir && list_next(dir);

	if (dir)
		closedir(dir);
	return found;
}

void rescue_start(void)
{
	struct pollfd fd = {.events = POLLIN};
	siginfo_t info;
	pid_t pid;

	if (!has_lists())
		return;
	pid = fork();
	if (pid == 0)
		_exit(rescue_run() ? 1 : 0);
	fd.fd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (fd.fd < 0)
		return;
	poll(&fd, 1, START_MS);
	waitid(P_PIDFD, fd.fd, &info, WEXITED | WNOHANG);
	close(fd.fd);
}

/* It may get stuck, and must not keep what the monitor has open. */
pid_t rescue_spawn(void)
{
	char name[] = "kfreeze-monitor", option[] = "--rescue";
	char *argv[] = {name, option, NULL};
	sigset_t none;
	pid_t pid;

	if (!has_lists())
		return 0;
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(PROGRAM, argv);
	_exit(127);
}
