// SPDX-License-Identifier: GPL-2.0
/*
 * A state machine over bytes. It takes what qemu-ga takes (single quotes,
 * several values in one write, 0xFF as a reset) and goes on after an error
 * where qemu-ga does: at the next bracket, colon, comma or control character.
 */
#include "qga_lexer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A buffer that has grown beyond is given back after the token. */
#define KEPT_SIZE 4096

enum state {
	START,
	IN_STRING,
	IN_ESCAPE, /* after the backslash of a string */
	IN_KEYWORD,
	IN_SIGN, /* after '-' */
	IN_ZERO, /* after a leading 0 */
	IN_DIGITS,
	IN_POINT, /* after '.' */
	IN_FRACTION,
	IN_EXPONENT, /* after 'e' */
	IN_EXPONENT_SIGN,
	IN_EXPONENT_DIGITS,
	RECOVERING, /* after a stray byte */
	SKIPPING, /* the rest of a line */
};

struct qga_lexer {
	qga_token_fn found;
	void *data;
	enum state state;
	char quote; /* that ends the string */
	char *text; /* of the token under way */
	size_t len, size;
	unsigned long line, column; /* of the byte at hand */
	unsigned long start_line, start_column; /* of the token */
};

struct qga_lexer *qga_lexer_new(qga_token_fn found, void *data)
{
	struct qga_lexer *lexer = calloc(1, sizeof(*lexer));

	if (!lexer)
		return NULL;
	lexer->found = found;
	lexer->data = data;
	lexer->line = 1;
	return lexer;
}

void qga_lexer_free(struct qga_lexer *lexer)
{
	if (!lexer)
		return;
	free(lexer->text);
	free(lexer);
}

static void forget_token(struct qga_lexer *lexer)
{
	lexer->len = 0;
	if (lexer->size <= KEPT_SIZE)
		return;
	free(lexer->text);
	lexer->text = NULL;
	lexer->size = 0;
}

void qga_lexer_reset(struct qga_lexer *lexer)
{
	lexer->state = START;
	forget_token(lexer);
}

void qga_lexer_skip_line(struct qga_lexer *lexer)
{
	lexer->state = SKIPPING;
}

/* @next is set first: the receiver may change it with qga_lexer_skip_line() */
static void emit(struct qga_lexer *lexer, enum qga_token_type type,
		 enum state next)
{
	struct qga_token token = {
		.type = type,
		.text = "",
		.line = lexer->start_line,
		.column = lexer->start_column,
	};

	lexer->state = next;
	if (type != QGA_TOKEN_TOO_LONG && lexer->text) {
		lexer->text[lexer->len] = '\0';
		token.text = lexer->text;
		token.len = lexer->len;
	}
	lexer->found(lexer->data, &token);
	forget_token(lexer);
}

/* Room for one more byte and a NUL. */
static bool has_room(struct qga_lexer *lexer)
{
	size_t size = lexer->size ? 2 * lexer->size : 256;
	char *text;

	if (lexer->len + 2 <= lexer->size)
		return true;
	if (lexer->len >= QGA_LEXER_TOKEN_MAX)
		return false;
	text = realloc(lexer->text, size);
	if (!text)
		return false;
	lexer->text = text;
	lexer->size = size;
	return true;
}

static bool append(struct qga_lexer *lexer, char byte)
{
	if (!has_room(lexer)) {
		emit(lexer, QGA_TOKEN_TOO_LONG, SKIPPING);
		return false;
	}
	if (!lexer->len) {
		lexer->start_line = lexer->line;
		lexer->start_column = lexer->column;
	}
	lexer->text[lexer->len++] = byte;
	return true;
}

static bool is_reset(char byte)
{
	return (unsigned char)byte >= 0xfe;
}

static bool is_control(char byte)
{
	return (unsigned char)byte < 0x20;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return byte >= 'a' && byte <= 'z';
}

static const char structural[] = "{}[]:,";

static bool is_structural(char byte)
{
	return byte && strchr(structural, byte);
}

static void take(struct qga_lexer *lexer, char byte, enum state next)
{
	if (append(lexer, byte))
		lexer->state = next;
}

static void stray(struct qga_lexer *lexer, char byte)
{
	if (append(lexer, byte))
		emit(lexer, QGA_TOKEN_STRAY, RECOVERING);
}

static void start(struct qga_lexer *lexer, char byte)
{
	if (strchr(" \t\r\n", byte) && byte)
		return;
	if (is_structural(byte)) {
		/* in the order of enum qga_token_type */
		if (append(lexer, byte))
			emit(lexer, strchr(structural, byte) - structural, START);
	} else if (byte == '"' || byte == '\'') {
		lexer->quote = byte;
		take(lexer, byte, IN_STRING);
	} else if (is_letter(byte)) {
		take(lexer, byte, IN_KEYWORD);
	} else if (is_digit(byte)) {
		take(lexer, byte, byte == '0' ? IN_ZERO : IN_DIGITS);
	} else if (byte == '-') {
		take(lexer, byte, IN_SIGN);
	} else {
		stray(lexer, byte);
	}
}

static void in_string(struct qga_lexer *lexer, char byte)
{
	if (is_control(byte) || is_reset(byte)) {
		stray(lexer, byte);
	} else if (lexer->state == IN_ESCAPE) {
		take(lexer, byte, IN_STRING);
	} else if (byte == '\\') {
		take(lexer, byte, IN_ESCAPE);
	} else if (append(lexer, byte) && byte == lexer->quote) {
		emit(lexer, QGA_TOKEN_STRING, START);
	}
}

/* True if @byte goes on with the number; false if it ends or breaks it. */
static bool extends_number(enum state state, char byte, enum state *next)
{
	switch (state) {
	case IN_SIGN:
		*next = byte == '0' ? IN_ZERO : IN_DIGITS;
		return is_digit(byte);
	case IN_ZERO:
	case IN_DIGITS:
		*next = byte == '.'		     ? IN_POINT
			: byte == 'e' || byte == 'E' ? IN_EXPONENT
						     : IN_DIGITS;
		return *next != IN_DIGITS ||
		       (state == IN_DIGITS && is_digit(byte));
	case IN_POINT:
		*next = IN_FRACTION;
		return is_digit(byte);
	case IN_FRACTION:
		*next = byte == 'e' || byte == 'E' ? IN_EXPONENT : IN_FRACTION;
		return *next == IN_EXPONENT || is_digit(byte);
	case IN_EXPONENT:
		*next = is_digit(byte) ? IN_EXPONENT_DIGITS : IN_EXPONENT_SIGN;
		return is_digit(byte) || byte == '+' || byte == '-';
	default:
		*next = IN_EXPONENT_DIGITS;
		return is_digit(byte);
	}
}

/* False if @byte was not consumed: it ended the number. */
static bool in_number(struct qga_lexer *lexer, char byte)
{
	enum state state = lexer->state, next;

	if (extends_number(state, byte, &next)) {
		take(lexer, byte, next);
		return true;
	}
	if (state == IN_DIGITS || (state == IN_ZERO && !is_digit(byte))) {
		emit(lexer, QGA_TOKEN_INTEGER, START);
		return false;
	}
	if (state == IN_FRACTION || state == IN_EXPONENT_DIGITS) {
		emit(lexer, QGA_TOKEN_FLOAT, START);
		return false;
	}
	stray(lexer, byte);
	return true;
}

/* False if @byte has to be looked at again, in the state it has led to. */
static bool consume(struct qga_lexer *lexer, char byte)
{
	switch (lexer->state) {
	case START:
		start(lexer, byte);
		return true;
	case IN_STRING:
	case IN_ESCAPE:
		in_string(lexer, byte);
		return true;
	case IN_KEYWORD:
		if (is_letter(byte)) {
			take(lexer, byte, IN_KEYWORD);
			return true;
		}
		emit(lexer, QGA_TOKEN_KEYWORD, START);
		return false;
	case RECOVERING:
		if (!is_control(byte) && !is_structural(byte) && !is_reset(byte))
			return true;
		lexer->state = START;
		return false;
	case SKIPPING:
		if (byte != '\n' && !is_reset(byte))
			return true;
		lexer->state = START;
		return false;
	default:
		return in_number(lexer, byte);
	}
}

void qga_lexer_feed(struct qga_lexer *lexer, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		lexer->column++;
		while (!consume(lexer, bytes[i]))
			;
		if (bytes[i] == '\n') {
			lexer->line++;
			lexer->column = 0;
		}
	}
}
