// SPDX-License-Identifier: GPL-2.0
/* Freeze and thaw as most tests want it: with everything checked. */
#include "cycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void die(const char *what, const struct client *client, int err)
{
	printf("# %s: %s %s\n", what, strerror(-err), client->text);
	exit(EXIT_FAILURE);
}

int cycle_request(struct client *client, const char *const dirs[], int nr,
		  uint32_t timeout_ms)
{
	struct client_request request = {.nr = nr, .timeout_ms = timeout_ms};
	int fds[nr], err, i;

	for (i = 0; i < nr; i++)
		fds[i] = disk_open(dirs[i]);
	request.fds = fds;
	err = client_freeze(client, &request);
	for (i = 0; i < nr; i++)
		close(fds[i]);
	return err;
}

struct client_result cycle_result(struct client *client)
{
	struct client_result result;

	if (!client_wait(client, &result, CYCLE_PATIENCE_MS))
		die("no result", client, 0);
	return result;
}

void cycle_freeze(struct client *client, const char *const dirs[], int nr,
		  uint32_t timeout_ms)
{
	int err = cycle_request(client, dirs, nr, timeout_ms);
	struct client_result result;

	if (err)
		die("FREEZE", client, err);
	result = cycle_result(client);
	if (result.state != KFREEZE_STATE_FROZEN ||
	    result.nr_frozen != (uint32_t)nr) {
		printf("# state %u, %u frozen\n", result.state, result.nr_frozen);
		die("not frozen", client, result.error);
	}
}

void cycle_await(struct client *client, enum kfreeze_state state)
{
	long long until = clock_ms() + CYCLE_PATIENCE_MS;
	struct client_result message;

	do {
		if (client_status(client, &message, 1) < 1 || clock_ms() > until)
			die("not in the state that is waited for", client, 0);
	} while (message.state != state);
}

void cycle_await_target(struct client *client, uint32_t index,
			enum kfreeze_target_state state)
{
	long long until = clock_ms() + CYCLE_PATIENCE_MS;
	struct client_result messages[index + 2];

	do {
		if (client_status(client, messages, index + 2) < (int)index + 2 ||
		    clock_ms() > until)
			die("target not in the state that is waited for",
			    client, 0);
	} while (messages[index + 1].target.state != state);
}

struct client_result cycle_thaw(struct client *client)
{
	int err = client_command(client, KFREEZE_CMD_THAW);

	if (err)
		die("THAW", client, err);
	return cycle_result(client);
}

unsigned long cycle_setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}
