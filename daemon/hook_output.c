// SPDX-License-Identifier: GPL-2.0
/* A ring over what a hook prints: its end is what counts. */
#include "hook_output.h"

#include <errno.h>
#include <sys/uio.h>

#define READ_ROUNDS 16 /* per wake-up, so that no hook can keep us busy */

bool hook_output_read(struct hook_output *output, int fd)
{
	struct iovec free[2];
	size_t begin;
	ssize_t len;
	int i;

	for (i = 0; i < READ_ROUNDS; i++) {
		begin = output->total % HOOK_OUTPUT_MAX;
		free[0].iov_base = output->ring + begin;
		free[0].iov_len = HOOK_OUTPUT_MAX - begin;
		free[1].iov_base = output->ring;
		free[1].iov_len = begin;
		len = readv(fd, free, 2);
		if (len <= 0)
			return len < 0 && (errno == EAGAIN || errno == EINTR);
		output->total += len;
	}
	return true;
}

static uint64_t first_kept(const struct hook_output *output)
{
	return output->total > HOOK_OUTPUT_MAX ? output->total - HOOK_OUTPUT_MAX
					       : 0;
}

static char get(const struct hook_output *output, uint64_t pos)
{
	return output->ring[pos % HOOK_OUTPUT_MAX];
}

size_t hook_output_take(struct hook_output *output, char text[HOOK_OUTPUT_MAX])
{
	uint64_t pos = first_kept(output);
	size_t len = 0;

	if (pos < output->taken)
		pos = output->taken;
	while (pos < output->total)
		text[len++] = get(output, pos++);
	output->taken = output->total;
	return len;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

void hook_output_last_line(const struct hook_output *output, char *line,
			   size_t size)
{
	uint64_t first = first_kept(output), end = output->total, pos;
	unsigned char c;

	while (end > first && is_line_end(get(output, end - 1)))
		end--;
	for (pos = end; pos > first && get(output, pos - 1) != '\n'; pos--)
		;
	for (; pos < end && size > 1; pos++, size--) {
		c = get(output, pos);
		*line++ = c < ' ' ? ' ' : c;
	}
	*line = '\0';
}
