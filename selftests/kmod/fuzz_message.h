/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of the family for a fuzzer: valid, nearly valid, spoilt. */
#ifndef FUZZ_MESSAGE_H
#define FUZZ_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_MESSAGE_SIZE 32768

/* Where messages come from: the same seed gives the same ones. */
struct fuzz {
	uint64_t state; /* the seed; not 0 */
	uint16_t family;
	const int *fds; /* first those of different filesystems */
	uint32_t nr_fds;
	uint32_t nr_filesystems;
};

/* @len is what is to be sent; the header may tell otherwise. */
struct fuzz_message {
	size_t len;
	uint8_t data[FUZZ_MESSAGE_SIZE] __attribute__((aligned(8)));
};

uint32_t fuzz_below(struct fuzz *fuzz, uint32_t bound);
void fuzz_message(struct fuzz *fuzz, struct fuzz_message *msg, uint32_t seq);

#endif
