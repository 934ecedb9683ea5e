// SPDX-License-Identifier: GPL-2.0
/*
 * Set the system's clock and with it the hardware's, or the other way round.
 * hwclock knows whether the hardware's is in UTC, and how it drifts.
 */
#include "query_time.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "query_child.h"
#include "query_command.h"

#define NS_PER_S 1000000000LL

static int set_system_clock(struct query_child *child, int64_t ns)
{
	const struct timespec time = {
		.tv_sec = ns / NS_PER_S,
		.tv_nsec = ns % NS_PER_S,
	};

	if (ns >= 0 && !clock_settime(CLOCK_REALTIME, &time))
		return 0;
	if (ns < 0)
		errno = EINVAL;
	return query_child_fail(child, -errno, "Failed to set time to guest: %s",
				strerror(errno));
}

int query_time_set(struct query_child *child)
{
	bool is_given = child->query->set_time.is_given;
	const char *const argv[] = {
		"/sbin/hwclock",
		is_given ? "-w" : "-s",
		NULL,
	};
	int err = 0;

	if (is_given)
		err = set_system_clock(child, child->query->set_time.ns);
	if (err)
		return err;
	return query_command_run(child, argv,
				 "set hardware clock to system time");
}
