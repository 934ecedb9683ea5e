/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UTF-8, as strict as qemu-ga: no surrogates, no noncharacters. U+0000 is
 * C0 80, so that every text is a C string.
 */
#ifndef KFREEZE_QGA_UTF8_H
#define KFREEZE_QGA_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at @text; 0 if it is none. */
size_t qga_utf8_decode(const char *text, size_t len, uint32_t *character);

/* @text has room for four bytes. Returns how many were needed. */
size_t qga_utf8_encode(uint32_t character, char *text);

bool qga_utf8_is_character(uint32_t character);

#endif
