// SPDX-License-Identifier: GPL-2.0
/*
 * Redis needs no lock: it replaces its files by renaming new ones. A copy made
 * while a child writes one is only larger than it need be, so that is waited
 * for; that there is a child can be seen without a password.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "application.h"
#include "client_process.h"
#include "filesystems.h"
#include "instances.h"

#define WAIT_MS 10000

/* False if it still runs at the deadline. */
static bool wait_for(pid_t child, uint64_t deadline_ms)
{
	struct pollfd pfd = {.fd = pidfd_open(child, 0), .events = POLLIN};
	uint64_t now = client_now_ms();
	int ended;

	if (pfd.fd < 0)
		return true;
	ended = now < deadline_ms ? poll(&pfd, 1, deadline_ms - now) : 0;
	close(pfd.fd);
	return ended;
}

static int prepare(const struct instance *instance, struct client *client,
		   uint64_t deadline_ms)
{
	uint64_t limit_ms = client_now_ms() + WAIT_MS;
	pid_t child;

	(void)client;
	if (!filesystems_has(instance->directory))
		return APPLICATION_NOT_OURS;
	if (limit_ms < deadline_ms)
		deadline_ms = limit_ms;
	while ((child = instance_child(instance))) {
		if (!wait_for(child, deadline_ms)) {
			instance_say(instance, "a save or rewrite is under way");
			break;
		}
	}
	return 0;
}

const struct application application = {
	.name = "redis",
	.processes = (const char *const[]){"redis-server", "valkey-server", NULL},
	/* Debian's are links to a tool's, which is the same program */
	.programs = (const char *const[]){"redis-server", "redis-check-rdb",
					  "valkey-server", "valkey-check-rdb",
					  NULL},
	.accounts = (const char *const[]){"redis", "valkey", NULL},
	.prepare = prepare,
};
