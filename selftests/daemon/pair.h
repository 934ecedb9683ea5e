/* SPDX-License-Identifier: GPL-2.0 */
/* Two or three filesystems, frozen by a monitor with the ioctl backend. */
#ifndef PAIR_H
#define PAIR_H

#include "ktap.h"

#include <signal.h>

#include "client.h"
#include "sandbox.h"

#define PAIR_FREEZER "kfreeze-freezer"
#define PAIR_GUARD "kfreeze-guard"

#define PAIR_AT_ONCE_MS 1000 /* a bound promised to users */

static const char *pair_a, *pair_b, *pair_other; /* where they are mounted */

/* Else there are no processes to kill. */
static inline void pair_need_ioctl(void)
{
	if (strcmp(client_backend(), "ioctl"))
		SKIP("the module has no processes");
}

/* A freeze under way, its id: pair_b, beneath which somebody else has frozen
 * pair_a, is stuck in the kernel until that one is thawed; pair_other is frozen.
 * pair_b is clean, so that its flush is through at once. In a sandbox. */
static inline uint32_t pair_get_stuck(struct client *client)
{
	uint32_t id;

	pair_need_ioctl();
	pair_a = sandbox_mount("a", NULL);
	pair_b = sandbox_mount("b", pair_a);
	pair_other = sandbox_mount("c", NULL);
	sandbox_sync(pair_b);
	sandbox_sync(pair_a);
	*client = client_start();
	CHECK_EQ(sandbox_fifreeze(pair_a), 0);
	id = client_send_freeze(client, pair_b, pair_other, NULL);
	CHECK(client_wait_state(client, IPC_FREEZING, PAIR_AT_ONCE_MS));
	CHECK(sandbox_wait_frozen(pair_other, PAIR_AT_ONCE_MS));
	return id;
}

static inline struct ipc_reply pair_freeze_again(struct client *client)
{
	return client_answer(client,
			     client_send_freeze(client, pair_a, pair_b, NULL));
}

static inline struct ipc_reply pair_thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

/* In a sandbox: mount both, start a monitor and freeze. */
static inline struct client pair_freeze(void)
{
	struct client client;

	pair_need_ioctl();
	pair_a = sandbox_mount("a", NULL);
	pair_b = sandbox_mount("b", NULL);
	client = client_start();
	CHECK_EQ(pair_freeze_again(&client).count, 2);
	CHECK(sandbox_is_frozen(pair_a));
	CHECK(sandbox_is_frozen(pair_b));
	return client;
}

/* SIGKILL for one of the monitor's children. */
static inline void pair_kill(const struct client *client, const char *name)
{
	pid_t pid = client_find_child(client, name);

	CHECK(pid > 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
}

static inline bool pair_is_expedited(void)
{
	return atoi(sandbox_read_file("/sys/kernel/rcu_expedited")) != 0;
}

#endif
