/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes of a host to JSON values, one after the other, in bounded memory. */
#ifndef KFREEZE_QGA_PARSER_H
#define KFREEZE_QGA_PARSER_H

#include <stddef.h>

struct json_object;
struct qga_parser;

/* Of one top-level value. json-c takes up to 1 KiB for a token. */
#define QGA_PARSER_TEXT_MAX (1 << 20)
#define QGA_PARSER_TOKENS_MAX (1 << 14)
#define QGA_PARSER_DEPTH_MAX 1024

struct qga_parser_ops {
	/* Takes over the reference; NULL is JSON's null. */
	void (*value)(void *data, struct json_object *value);
	/* What could not be parsed, as the text of an error reply. */
	void (*error)(void *data, const char *text);
	/* 0xFF or 0xFE: the host starts anew. Before the error it causes. */
	void (*reset)(void *data);
};

struct qga_parser *qga_parser_new(const struct qga_parser_ops *ops, void *data);
void qga_parser_free(struct qga_parser *parser);
void qga_parser_feed(struct qga_parser *parser, const char *bytes, size_t len);

/* Forget half a value: its sender is gone. */
void qga_parser_reset(struct qga_parser *parser);

#endif
