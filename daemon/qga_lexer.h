/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes of a host to tokens of JSON, in memory that is bounded. */
#ifndef KFREEZE_QGA_LEXER_H
#define KFREEZE_QGA_LEXER_H

#include <stddef.h>

/* Of one token, quotes included. */
#define QGA_LEXER_TOKEN_MAX (1 << 20)

enum qga_token_type {
	QGA_TOKEN_LEFT_BRACE,
	QGA_TOKEN_RIGHT_BRACE,
	QGA_TOKEN_LEFT_BRACKET,
	QGA_TOKEN_RIGHT_BRACKET,
	QGA_TOKEN_COLON,
	QGA_TOKEN_COMMA,
	QGA_TOKEN_STRING, /* as sent: quotes and escapes included */
	QGA_TOKEN_INTEGER,
	QGA_TOKEN_FLOAT,
	QGA_TOKEN_KEYWORD, /* any lower case word */
	QGA_TOKEN_STRAY, /* what cannot be JSON, up to the offending byte */
	QGA_TOKEN_TOO_LONG, /* without text; the rest of the line is skipped */
};

struct qga_token {
	enum qga_token_type type;
	const char *text; /* NUL-terminated as well */
	size_t len;
	unsigned long line, column; /* of its first byte, from 1, since start */
};

typedef void (*qga_token_fn)(void *data, const struct qga_token *token);

struct qga_lexer;

struct qga_lexer *qga_lexer_new(qga_token_fn found, void *data);
void qga_lexer_free(struct qga_lexer *lexer);
void qga_lexer_feed(struct qga_lexer *lexer, const char *bytes, size_t len);

/* Forget a token that is not complete; line and column go on. */
void qga_lexer_reset(struct qga_lexer *lexer);

/* Drop everything until a newline or 0xFF. May be called by @found. */
void qga_lexer_skip_line(struct qga_lexer *lexer);

#endif
