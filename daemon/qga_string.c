// SPDX-License-Identifier: GPL-2.0
/* Escapes and UTF-8 inside JSON strings. */
#include "qga_string.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qga_utf8.h"

struct cursor {
	const char *at, *end;
};

/* Four hexadecimal digits after "\u". */
static bool read_unit(struct cursor *in, uint32_t *unit)
{
	char digits[5], *end;

	if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
		return false;
	memcpy(digits, in->at + 2, 4);
	digits[4] = '\0';
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return false;
	*unit = strtoul(digits, &end, 16);
	in->at += 6;
	return true;
}

/* One \uXXXX, or two of them that make a surrogate pair. */
static bool read_unicode(struct cursor *in, uint32_t *character)
{
	uint32_t low;

	if (!read_unit(in, character))
		return false;
	if (*character >= 0xd800 && *character <= 0xdbff) {
		if (!read_unit(in, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		*character = 0x10000 + ((*character & 0x3ff) << 10) +
			     (low & 0x3ff);
	}
	return qga_utf8_is_character(*character);
}

static const char *decode_escape(struct cursor *in, char **out)
{
	static const char names[] = "\"'\\/bfnrt";
	static const char means[] = "\"'\\/\b\f\n\r\t";
	static char error[64];
	const char *start = in->at, *name;
	uint32_t character;

	if (start[1] == 'u') {
		if (read_unicode(in, &character)) {
			*out += qga_utf8_encode(character, *out);
			return NULL;
		}
		snprintf(error, sizeof(error),
			 "%.*s is not a valid Unicode character",
			 (int)(in->end - start < 6 ? in->end - start : 6), start);
		return error;
	}
	name = start[1] ? strchr(names, start[1]) : NULL;
	if (!name)
		return "invalid escape sequence in string";
	*(*out)++ = means[name - names];
	in->at += 2;
	return NULL;
}

const char *qga_string_decode(const char *quoted, size_t len, char **text)
{
	struct cursor in = {quoted + 1, quoted + len - 1};
	const char *error = NULL;
	uint32_t character;
	size_t size;
	char *out;

	/* nothing gets longer by decoding */
	*text = malloc(len);
	if (!*text)
		return "string does not fit into memory";
	out = *text;
	while (in.at < in.end && !error) {
		if (*in.at == '\\') {
			error = decode_escape(&in, &out);
			continue;
		}
		size = qga_utf8_decode(in.at, in.end - in.at, &character);
		if (!size)
			error = "invalid UTF-8 sequence in string";
		memcpy(out, in.at, size);
		out += size;
		in.at += size;
	}
	*out = '\0';
	if (error) {
		free(*text);
		*text = NULL;
	}
	return error;
}
