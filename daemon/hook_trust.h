/* SPDX-License-Identifier: GPL-2.0 */
/* Who could put something else where a hook is: root, or nobody. */
#ifndef KFREEZE_HOOK_TRUST_H
#define KFREEZE_HOOK_TRUST_H

#include <stddef.h>

struct stat;

/* Of a file or a directory: why it is not trusted, or NULL. */
const char *hook_trust_refusal(const struct stat *st);

/* Of the file at @path, of all links that lead to it, and of the directories
 * where these are. 0 or -errno; then @reason says why. */
int hook_trust_check(const char *path, char *reason, size_t size);

#endif
