/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host has yet to hear: that a freeze it believes in was lost. It is
 * kept in /run, so that the next monitor tells it if this one dies.
 */
#ifndef KFREEZE_LOSS_H
#define KFREEZE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#define LOSS_FILE "/run/kfreeze/loss"
#define LOSS_TEXT_MAX 512

/* Opens @path and takes what the last monitor has left there. A file that
 * cannot be had is logged, and does without. From here on nothing in this file
 * opens, writes or allocates. */
void loss_init(const char *path);

/* A loss, or nothing. */
bool loss_is_untold(void);
const char *loss_text(void);

/* The host is told of a freeze: our death is its loss. */
void loss_expect(uint32_t timeout_ms);
void loss_set(uint32_t timeout_ms, const char *reason);

/* The host has heard, or was never told of a freeze. */
void loss_forget(void);

#endif
