// SPDX-License-Identifier: GPL-2.0
/* Characters from and to UTF-8. */
#include "qga_utf8.h"

bool qga_utf8_is_character(uint32_t character)
{
	if (character > 0x10ffff)
		return false;
	if (character >= 0xd800 && character <= 0xdfff)
		return false;
	if (character >= 0xfdd0 && character <= 0xfdef)
		return false;
	return (character & 0xfffe) != 0xfffe;
}

/* Length of the sequence that starts with @first, and the bits it gives. */
static size_t sequence_length(unsigned char first, uint32_t *bits)
{
	if (first < 0x80) {
		*bits = first;
		return 1;
	}
	if (first >= 0xc0 && first < 0xe0) {
		*bits = first & 0x1f;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*bits = first & 0x0f;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf8) {
		*bits = first & 0x07;
		return 4;
	}
	return 0;
}

size_t qga_utf8_decode(const char *text, size_t len, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t bits;
	size_t size, i;

	if (!len)
		return 0;
	size = sequence_length(text[0], &bits);
	if (!size || size > len)
		return 0;
	for (i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		bits = bits << 6 | (text[i] & 0x3f);
	}
	if (bits < smallest[size] && !(bits == 0 && size == 2))
		return 0;
	*character = bits;
	return qga_utf8_is_character(bits) ? size : 0;
}

size_t qga_utf8_encode(uint32_t character, char *text)
{
	size_t size, i;

	if (character && character < 0x80) {
		text[0] = character;
		return 1;
	}
	/* U+0000 takes two bytes: C strings end at a zero byte */
	size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	for (i = size - 1; i > 0; i--) {
		text[i] = 0x80 | (character & 0x3f);
		character >>= 6;
	}
	text[0] = (0xf00 >> size) | character;
	return size;
}
