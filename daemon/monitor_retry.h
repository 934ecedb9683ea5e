/* SPDX-License-Identifier: GPL-2.0 */
/* When to try again to reach the monitor, and what of it is news. */
#ifndef KFREEZE_MONITOR_RETRY_H
#define KFREEZE_MONITOR_RETRY_H

#include <stdbool.h>

#include "ipc.h"

/* Zeroed: nothing has failed yet. */
struct monitor_retry {
	unsigned int delay_ms; /* the last one; 0: none */
	char failure[IPC_TEXT_MAX]; /* told last, or "" */
};

/* It has greeted us: what fails next is news, and tried again soon. */
void monitor_retry_reset(struct monitor_retry *retry);

/* How long to wait after a failure: twice as long as after the one before. */
unsigned int monitor_retry_delay_ms(struct monitor_retry *retry);

/* @failure is not the one that was told last. */
bool monitor_retry_is_news(struct monitor_retry *retry, const char *failure);

#endif
