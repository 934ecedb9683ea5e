/* SPDX-License-Identifier: GPL-2.0 */
/* What a hook prints, read from its pipe into bounded memory. */
#ifndef KFREEZE_HOOK_OUTPUT_H
#define KFREEZE_HOOK_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_OUTPUT_MAX 65536

struct hook_output {
	uint64_t total, taken; /* bytes, since the start */
	char ring[HOOK_OUTPUT_MAX];
};

/* What can be had from the non-blocking @fd; false when no more will come. */
bool hook_output_read(struct hook_output *output, int fd);

/* The last HOOK_OUTPUT_MAX bytes that were not taken before. */
size_t hook_output_take(struct hook_output *output, char text[HOOK_OUTPUT_MAX]);

/* The last line, without control characters. */
void hook_output_last_line(const struct hook_output *output, char *line,
			   size_t size);

#endif
