// SPDX-License-Identifier: GPL-2.0
/* See input.h. */
#include "input.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->bytes++;
}

const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t max, size_t *len)
{
	const uint8_t *bytes;
	size_t wanted = fuzz_byte(input);

	wanted |= fuzz_byte(input) << 8;
	*len = wanted < max ? wanted : max;
	if (*len > input->left)
		*len = input->left;
	bytes = input->bytes;
	input->bytes += *len;
	input->left -= *len;
	return bytes;
}

void fuzz_send(struct fuzz_input *input, int fd, size_t size)
{
	static uint32_t message[FUZZ_MESSAGE_MAX / sizeof(uint32_t)];
	const uint8_t *rest;
	size_t len;

	if (size > sizeof(message))
		abort();
	memset(message, 0, size);
	message[0] = fuzz_byte(input);
	message[1] = fuzz_byte(input);
	rest = fuzz_bytes(input, size - 8, &len);
	memcpy(message + 2, rest, len);
	if (fuzz_byte(input) == 255)
		size = 8 + len;
	/* a peer that has closed is what it was about */
	send(fd, message, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
