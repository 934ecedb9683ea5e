/* SPDX-License-Identifier: GPL-2.0 */
/* The fuzzer's bytes, taken one piece after the other. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MESSAGE_MAX 8192

struct fuzz_input {
	const uint8_t *bytes;
	size_t left;
};

/* Called by the fuzzer: once, and with every input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* 0 at the end. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* Up to @max bytes, as many as the next two say. */
const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t max, size_t *len);

/* A message of @size bytes from fewer ones: zeroes but for its type, its id
 * and what follows, sent whole or, seldom, short. Sends it. */
void fuzz_send(struct fuzz_input *input, int fd, size_t size);

#endif
