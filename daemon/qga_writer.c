// SPDX-License-Identifier: GPL-2.0
/*
 * json-c's own serialiser has other separators and leaves UTF-8 as it is.
 * Recursion ends with QGA_PARSER_DEPTH_MAX: deeper values are never built.
 */
#include "qga_writer.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdio.h>
#include <string.h>

#include "qga_utf8.h"

#define REPLACEMENT_CHARACTER 0xfffd

static int append(struct printbuf *out, const char *text, int len)
{
	return printbuf_memappend(out, text, len) < 0 ? -ENOMEM : 0;
}

static int write_character(struct printbuf *out, uint32_t character)
{
	char text[16];
	int len;

	if (character == '"' || character == '\\')
		len = snprintf(text, sizeof(text), "\\%c", (int)character);
	else if (character >= 0x20 && character < 0x7f)
		len = snprintf(text, sizeof(text), "%c", (int)character);
	else if (character > 0xffff)
		len = snprintf(text, sizeof(text), "\\u%04X\\u%04X",
			       0xd800 + ((character - 0x10000) >> 10),
			       0xdc00 + ((character - 0x10000) & 0x3ff));
	else
		len = snprintf(text, sizeof(text), "\\u%04X", character);
	return append(out, text, len);
}

static int write_control(struct printbuf *out, char control)
{
	static const char controls[] = "\b\f\n\r\t";
	static const char names[] = "bfnrt";
	const char *found = control ? strchr(controls, control) : NULL;
	char text[2] = "\\";

	if (!found)
		return write_character(out, control);
	text[1] = names[found - controls];
	return append(out, text, 2);
}

static int write_string(struct printbuf *out, const char *text)
{
	const char *end = text + strlen(text);
	uint32_t character;
	size_t size;
	int err;

	err = append(out, "\"", 1);
	for (; !err && text < end; text += size) {
		size = qga_utf8_decode(text, end - text, &character);
		if (!size) {
			character = REPLACEMENT_CHARACTER;
			size = 1;
		}
		if (character < 0x20)
			err = write_control(out, character);
		else
			err = write_character(out, character);
	}
	return err ? err : append(out, "\"", 1);
}

static int write_object(struct printbuf *out, struct json_object *object)
{
	struct json_object_iter member;
	const char *separator = "{";
	int err;

	json_object_object_foreachC(object, member)
	{
		err = append(out, separator, strlen(separator));
		if (!err)
			err = write_string(out, member.key);
		if (!err)
			err = append(out, ": ", 2);
		if (!err)
			err = qga_write(out, member.val);
		if (err)
			return err;
		separator = ", ";
	}
	return append(out, *separator == '{' ? "{}" : "}",
		      *separator == '{' ? 2 : 1);
}

static int write_array(struct printbuf *out, struct json_object *array)
{
	size_t i, nr = json_object_array_length(array);
	int err;

	err = append(out, "[", 1);
	for (i = 0; !err && i < nr; i++) {
		if (i)
			err = append(out, ", ", 2);
		if (!err)
			err = qga_write(out, json_object_array_get_idx(array, i));
	}
	return err ? err : append(out, "]", 1);
}

static int write_double(struct printbuf *out, double number)
{
	char text[40];

	return append(out, text, snprintf(text, sizeof(text), "%.17g", number));
}

int qga_write(struct printbuf *out, struct json_object *value)
{
	const char *text;

	switch (json_object_get_type(value)) {
	case json_type_object:
		return write_object(out, value);
	case json_type_array:
		return write_array(out, value);
	case json_type_string:
		return write_string(out, json_object_get_string(value));
	case json_type_double:
		return write_double(out, json_object_get_double(value));
	default: /* null, boolean, integer: as json-c writes them */
		text = value ? json_object_to_json_string(value) : "null";
		return text ? append(out, text, strlen(text)) : -ENOMEM;
	}
}
