// SPDX-License-Identifier: GPL-2.0
/*
 * One child per query, on a socketpair. It is killed when its time is up and
 * not waited for: one that is stuck in the kernel ends when it can.
 */
#include "query_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc.h"
#include "query_run.h"

#define LIMIT_US 10000000ULL
#define TRIM_LIMIT_US 600000000ULL /* as long as the disks need */
#define MAX_CHILDREN 8 /* all but one of them killed, and stuck */

static struct {
	sd_event *event;
	const struct query_events *events;
	unsigned int nr_children; /* not reaped yet */
	/* the query under way */
	uint32_t topic;
	unsigned int nr_records;
	pid_t pid; /* 0: none, or it has been reaped */
	int fd; /* -1: none */
	sd_event_source *input, *timer;
} state = {.fd = -1};

void query_process_init(sd_event *event, const struct query_events *events)
{
	state.event = event;
	state.events = events;
}

static int on_child_end(sd_event_source *source, int pidfd, uint32_t events,
			void *unused)
{
	siginfo_t info = {0};

	(void)events;
	(void)unused;
	if (waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG | WNOWAIT) ||
	    !info.si_pid)
		return 0;
	/* what it has started goes, too, while the number is still its own */
	if (info.si_pid == state.pid) {
		kill(-state.pid, SIGKILL);
		state.pid = 0;
	}
	waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG);
	state.nr_children--;
	sd_event_source_disable_unref(source);
	return 0;
}

/* With what it has started. Right after the fork there is no group yet. */
static void kill_child(pid_t pid)
{
	if (kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
}

static void end(int err, const char *text)
{
	state.input = sd_event_source_disable_unref(state.input);
	state.timer = sd_event_source_disable_unref(state.timer);
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
	if (state.pid > 0)
		kill_child(state.pid);
	state.pid = 0;
	state.events->over(err, text);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *unused)
{
	(void)source;
	(void)usec;
	(void)unused;
	end(-ETIMEDOUT, "the system did not answer in time");
	return 0;
}

static void take_reply(const struct ipc_reply *reply)
{
	if (reply->type == IPC_ANSWER)
		end(reply->err, reply->text);
	else if (reply->type != IPC_QUERY_RECORD ||
		 !query_expects(state.topic, &reply->query_record))
		end(-EPROTO, "");
	else if (++state.nr_records > QUERY_MAX_RECORDS)
		end(-E2BIG, "");
	else
		state.events->record(&reply->query_record);
}

void query_process_resume(void)
{
	struct ipc_reply reply;
	int err;

	while (state.fd >= 0) {
		if (!state.events->has_room()) {
			sd_event_source_set_enabled(state.input, SD_EVENT_OFF);
			return;
		}
		err = ipc_receive_reply(state.fd, &reply);
		if (err == -EAGAIN) {
			sd_event_source_set_enabled(state.input, SD_EVENT_ON);
			return;
		}
		if (!err)
			take_reply(&reply);
		else
			end(err, err == -EPIPE ? "its process died" : "");
	}
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *unused)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)unused;
	query_process_resume();
	return 0;
}

/* Its end is watched for as long as it takes. */
static int watch_child(pid_t pid)
{
	sd_event_source *source;
	int pidfd = pidfd_open(pid, 0), err;

	if (pidfd < 0)
		return -errno;
	err = sd_event_add_io(state.event, &source, pidfd, EPOLLIN,
			      on_child_end, NULL);
	if (err < 0) {
		close(pidfd);
		return err;
	}
	sd_event_source_set_io_fd_own(source, true);
	state.nr_children++;
	return 0;
}

static int spawn(const struct query *query)
{
	int fds[2], err;

	state.pid = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	state.fd = fds[0];
	state.pid = fork();
	if (state.pid == 0)
		query_run(query, fds[1]);
	err = state.pid < 0 ? -errno : watch_child(state.pid);
	close(fds[1]);
	return err;
}

static int watch_query(void)
{
	uint64_t limit_us = state.topic == QUERY_FSTRIM ? TRIM_LIMIT_US
							: LIMIT_US;
	int err = sd_event_add_io(state.event, &state.input, state.fd, EPOLLIN,
				  on_input, NULL);

	if (err < 0)
		return err;
	return sd_event_add_time_relative(state.event, &state.timer,
					  CLOCK_MONOTONIC, limit_us, 0,
					  on_timer, NULL);
}

void query_process_start(const struct query *query)
{
	int err;

	if (state.nr_children == MAX_CHILDREN) {
		state.events->over(-EBUSY, "earlier queries are stuck");
		return;
	}
	state.topic = query->topic;
	state.nr_records = 0;
	err = spawn(query);
	if (!err)
		err = watch_query();
	if (err < 0)
		end(err, "");
}

void query_process_stop(int err, const char *text)
{
	if (state.fd >= 0)
		end(err, text);
}
