// SPDX-License-Identifier: GPL-2.0
/* A sliding window over what a hook prints: its end is what counts. */
#include "hook_output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_ROUNDS 16 /* per wake-up, so that no hook can keep us busy */

static void make_room(struct hook_output *output)
{
	size_t drop = output->len - HOOK_OUTPUT_MAX;

	memmove(output->text, output->text + drop, HOOK_OUTPUT_MAX);
	output->len -= drop;
	output->taken -= output->taken < drop ? output->taken : drop;
}

bool hook_output_read(struct hook_output *output, int fd)
{
	ssize_t len;
	int i;

	for (i = 0; i < READ_ROUNDS; i++) {
		if (output->len == sizeof(output->text))
			make_room(output);
		len = read(fd, output->text + output->len,
			   sizeof(output->text) - output->len);
		if (len <= 0)
			return len < 0 && (errno == EAGAIN || errno == EINTR);
		output->len += len;
	}
	return true;
}

size_t hook_output_take(struct hook_output *output, const char **text)
{
	size_t len;

	if (output->len > HOOK_OUTPUT_MAX)
		make_room(output);
	*text = output->text + output->taken;
	len = output->len - output->taken;
	output->taken = output->len;
	return len;
}

void hook_output_last_line(const struct hook_output *output, char *line,
			   size_t size)
{
	const char *text = output->text;
	size_t end = output->len, start, i;

	while (end && (text[end - 1] == '\n' || text[end - 1] == '\r'))
		end--;
	for (start = end; start && text[start - 1] != '\n'; start--)
		;
	for (i = 0; start + i < end && i < size - 1; i++)
		line[i] = (unsigned char)text[start + i] < ' ' ? ' '
							       : text[start + i];
	line[i] = '\0';
}
