// SPDX-License-Identifier: GPL-2.0
/*
 * In the child: which function answers which topic, and its records on their
 * way to the monitor.
 */
#include "query_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "query_child.h"
#include "query_disk.h"
#include "query_filesystem.h"
#include "query_net.h"
#include "query_power.h"
#include "query_stats.h"
#include "query_system.h"
#include "query_time.h"
#include "query_unit.h"

static const query_topic_fn topics[] = {
	[QUERY_HOST_NAME] = query_system_host_name,
	[QUERY_TIMEZONE] = query_system_timezone,
	[QUERY_LOAD] = query_system_load,
	[QUERY_OSINFO] = query_system_os,
	[QUERY_USERS] = query_system_users,
	[QUERY_SET_TIME] = query_time_set,
	[QUERY_CPUSTATS] = query_stats_cpu,
	[QUERY_DISKSTATS] = query_stats_disk,
	[QUERY_DISKS] = query_disk_all,
	[QUERY_FSINFO] = query_filesystem_all,
	[QUERY_FSTRIM] = query_filesystem_trim,
	[QUERY_INTERFACES] = query_net_interfaces,
	[QUERY_ROUTES] = query_net_routes,
	[QUERY_VCPUS] = query_unit_vcpus,
	[QUERY_SET_VCPUS] = query_unit_set_vcpus,
	[QUERY_MEMORY_BLOCKS] = query_unit_memory_blocks,
	[QUERY_SET_MEMORY_BLOCKS] = query_unit_set_memory_blocks,
	[QUERY_MEMORY_BLOCK_SIZE] = query_unit_memory_block_size,
	[QUERY_SHUTDOWN] = query_power_shutdown,
	[QUERY_SUSPEND] = query_power_suspend,
};

/* Waits while the monitor's hands are full. */
static int send_reply(int fd, const struct ipc_reply *reply)
{
	return send(fd, reply, sizeof(*reply), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int emit(void *data, const struct query_record *record)
{
	struct ipc_reply reply;

	memset(&reply, 0, sizeof(reply)); /* also the padding: it is sent */
	reply.type = IPC_QUERY_RECORD;
	reply.query_record = *record;
	return send_reply(*(int *)data, &reply);
}

/* What the monitor holds is not ours: its end must be seen by those at the
 * other ends, whatever hangs here. */
static int leave_monitor(int fd)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;
	int i;

	prctl(PR_SET_NAME, "kfreeze-query");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, STDERR_FILENO + 1) < 0)
		return -errno;
	return close_range(STDERR_FILENO + 2, ~0U, 0) ? -errno : 0;
}

void query_run(const struct query *query, int fd)
{
	int err = leave_monitor(fd);
	struct query_child child = {.query = query, .root = "", .emit = emit};
	struct ipc_reply reply;

	fd = STDERR_FILENO + 1;
	child.data = &fd;
	if (!err)
		err = topics[query->topic](&child);
	memset(&reply, 0, sizeof(reply));
	reply.type = IPC_ANSWER;
	reply.err = err;
	snprintf(reply.text, sizeof(reply.text), "%s", child.text);
	_exit(send_reply(fd, &reply) ? 1 : 0);
}
