// SPDX-License-Identifier: GPL-2.0
/* The ioctl backend where nothing can be frozen: on a tmpfs, as any user. */
/* link: freezer_ioctl freezer_child freezer_worker freezer_list memory */
#include "ktap.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/statfs.h>

#include "freezer.h"
#include "freezer_rescue.h"
#include "privdrop.h"
#include "privdrop_seccomp.h"

#define TMPFS_MAGIC 0x01021994
#define PATIENCE_MS 10000
#define MOMENT_MS 100 /* for what should not happen */

/* Not here: the sanitizer's runtime makes system calls of its own. */
int privdrop_freezer_thread(void)
{
	return 0;
}

int privdrop_freezer(void)
{
	return 0;
}

int privdrop_filter_freezer(void)
{
	return 0;
}

/* There are no lists. */
pid_t rescue_spawn(void)
{
	return 0;
}

/* Shared with the freezer; NULL: nobody counts. */
struct flushes {
	atomic_int nr, most; /* under way */
	int wanted, patience_ms; /* how long to wait for more of them */
};

static struct flushes *flushes;

/* Instead of the C library's. */
int syncfs(int fd)
{
	int nr, most, ms;

	(void)fd;
	if (!flushes)
		return 0;
	nr = atomic_fetch_add(&flushes->nr, 1) + 1;
	most = flushes->most;
	while (most < nr &&
	       !atomic_compare_exchange_weak(&flushes->most, &most, nr))
		;
	for (ms = 0; ms < flushes->patience_ms; ms++) {
		if (flushes->most >= flushes->wanted)
			break;
		poll(NULL, 0, 1);
	}
	atomic_fetch_sub(&flushes->nr, 1);
	return 0;
}

static int epoll_fd;
static struct freezer_target targets[4];

/* O_PATH of something that FIFREEZE refuses; nothing else is ever touched. */
static int open_tmpfs(void)
{
	struct statfs fs;
	int fd = open("/dev/shm", O_PATH | O_CLOEXEC);

	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC)
		SKIP("/dev/shm is no tmpfs");
	return fd;
}

static int start(size_t nr, struct freezer_request *request)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	CHECK(epoll_fd >= 0);
	CHECK_EQ(freezer_ioctl.open(epoll_fd), 0);
	*request = (struct freezer_request){
		.targets = targets,
		.nr_targets = nr,
		.timeout_ms = 60000,
		.flush_timeout_ms = 60000,
		.blamed = -1,
	};
	return freezer_ioctl.freeze(request);
}

static struct freezer_notice next_notice(void)
{
	struct freezer_notice notice;
	struct epoll_event event;
	int err;

	while ((err = freezer_ioctl.dispatch(&notice)) == -EAGAIN)
		CHECK_EQ(epoll_wait(epoll_fd, &event, 1, PATIENCE_MS), 1);
	CHECK_EQ(err, 0);
	return notice;
}

TEST(what_cannot_be_frozen_is_left_out_or_fails)
{
	struct freezer_request request;
	struct freezer_notice notice;

	targets[0].fd = open_tmpfs();
	CHECK_EQ(start(1, &request), 0);
	notice = next_notice();
	if (geteuid() == 0) {
		CHECK_EQ(notice.state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(notice.nr_frozen, 0);
		CHECK_EQ(freezer_ioctl.thaw(), 0);
		notice = next_notice();
		CHECK_EQ(notice.verdict, KFREEZE_VERDICT_OK);
	} else {
		CHECK_EQ(notice.verdict, KFREEZE_VERDICT_FAILED);
		CHECK_EQ(notice.cause, KFREEZE_CAUSE_ERROR);
		CHECK_EQ(notice.blamed, 0);
	}
	CHECK_EQ(notice.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(freezer_ioctl.records(targets, 1), 0);
	CHECK_EQ(targets[0].err, geteuid() ? -EPERM : -EOPNOTSUPP);
	CHECK_EQ(targets[0].step, KFREEZE_STEP_FREEZE);
}

/* How many flushes are under way at once, at most, waiting for @wanted. */
static int flush_all(const unsigned int *disks, size_t nr, int wanted,
		     int patience_ms)
{
	struct freezer_request request;
	size_t i;

	flushes = mmap(NULL, sizeof(*flushes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(flushes != MAP_FAILED);
	flushes->wanted = wanted;
	flushes->patience_ms = patience_ms;
	for (i = 0; i < nr; i++) {
		targets[i].fd = open_tmpfs();
		targets[i].disk = disks[i];
	}
	CHECK_EQ(start(nr, &request), 0);
	next_notice();
	CHECK_EQ(freezer_ioctl.records(targets, nr), 0);
	for (i = 0; i < nr; i++)
		CHECK(targets[i].flush_ns);
	return flushes->most;
}

TEST(filesystems_of_one_disk_are_flushed_in_turn)
{
	static const unsigned int disks[] = {7, 7, 7};

	CHECK_EQ(flush_all(disks, 3, 2, MOMENT_MS), 1);
}

TEST(those_of_other_disks_are_flushed_meanwhile)
{
	static const unsigned int disks[] = {1, 2, 1, 2};

	CHECK_EQ(flush_all(disks, 4, 2, PATIENCE_MS), 2);
}

TEST(unknown_disks_are_not_the_same)
{
	static const unsigned int disks[] = {0, 0, 0};

	CHECK_EQ(flush_all(disks, 3, 3, PATIENCE_MS), 3);
}

/* A socket or device that is all that is mounted of a filesystem. */
TEST(special_files_are_left_out_unopened)
{
	struct freezer_request request;
	struct freezer_notice notice;
	int ends[2];

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	targets[0].fd = ends[0];
	CHECK_EQ(start(1, &request), 0);
	notice = next_notice();
	CHECK_EQ(notice.state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(notice.nr_frozen, 0);
	CHECK_EQ(freezer_ioctl.thaw(), 0);
	CHECK_EQ(next_notice().verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(freezer_ioctl.records(targets, 1), 0);
	CHECK_EQ(targets[0].err, -EOPNOTSUPP);
}

TEST(a_descriptor_that_is_none_is_refused_by_index)
{
	struct freezer_request request;

	targets[0].fd = open_tmpfs();
	targets[1].fd = 999;
	CHECK_EQ(start(2, &request), -EBADF);
	CHECK_EQ(request.blamed, 1);
	CHECK_EQ(freezer_ioctl.thaw(), -ESRCH);
}

TEST(one_cycle_at_a_time)
{
	struct freezer_request request;
	int ends[2];

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	targets[0].fd = ends[0];
	CHECK_EQ(start(1, &request), 0);
	CHECK_EQ(freezer_ioctl.freeze(&request), -EBUSY);
	CHECK_EQ(next_notice().state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(freezer_ioctl.thaw(), 0);
	CHECK_EQ(next_notice().state, KFREEZE_STATE_IDLE);
	CHECK_EQ(freezer_ioctl.thaw(), -ESRCH);
	CHECK_EQ(freezer_ioctl.freeze(&request), 0);
	freezer_ioctl.close();
}

static long nr_descriptors(void)
{
	long nr = 0, fd;

	for (fd = 0; fd < 1024; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static bool has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
}

TEST(cycles_leave_no_descriptors_and_no_children)
{
	struct freezer_request request;
	struct freezer_notice notice;
	struct epoll_event event;
	long before, i;
	int ends[2];

	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	targets[0].fd = ends[0];
	CHECK_EQ(start(1, &request), 0);
	before = 0;
	for (i = 0; i < 20; i++) {
		CHECK_EQ(next_notice().state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(freezer_ioctl.thaw(), 0);
		CHECK_EQ(next_notice().state, KFREEZE_STATE_IDLE);
		while (has_children()) {
			CHECK_EQ(epoll_wait(epoll_fd, &event, 1, PATIENCE_MS), 1);
			CHECK_EQ(freezer_ioctl.dispatch(&notice), -EAGAIN);
		}
		if (!before)
			before = nr_descriptors();
		CHECK_EQ(nr_descriptors(), before);
		CHECK_EQ(freezer_ioctl.freeze(&request), 0);
	}
}
