/* SPDX-License-Identifier: GPL-2.0 */
/* Freeze and thaw as most tests want it: with everything checked. */
#ifndef CYCLE_H
#define CYCLE_H

#include "client.h"
#include "disk.h"

#define CYCLE_PATIENCE_MS 20000

/* FREEZE @dirs, all of one level. 0 or -errno of the request. */
int cycle_request(struct client *client, const char *const dirs[], int nr,
		  uint32_t timeout_ms);
/* The same, and wait until it is frozen: ends the test if it is not. */
void cycle_freeze(struct client *client, const char *const dirs[], int nr,
		  uint32_t timeout_ms);
/* Wait until the session is in a state from which it does not go by itself. */
void cycle_await(struct client *client, enum kfreeze_state state);
/* The same of one target of its cycle. */
void cycle_await_target(struct client *client, uint32_t index,
			enum kfreeze_target_state state);
/* The next RESULT: ends the test if none comes. */
struct client_result cycle_result(struct client *client);
/* THAW and its RESULT: ends the test if the request fails. */
struct client_result cycle_thaw(struct client *client);

/* A number of the environment, which is the kernel's command line. */
unsigned long cycle_setting(const char *name, unsigned long otherwise);

#endif
