// SPDX-License-Identifier: GPL-2.0
/*
 * Builds values token by token. An error is told once; then everything is
 * skipped up to the bracket that would have ended the value, as qemu-ga does.
 */
#include "qga_parser.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qga_lexer.h"
#include "qga_string.h"

#define NO_MEMORY "value does not fit into memory"

enum expect {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* after '[' */
	EXPECT_KEY,
	EXPECT_KEY_OR_END, /* after '{' */
	EXPECT_COLON,
	EXPECT_COMMA_OR_END,
};

struct frame {
	struct json_object *container;
	char *key; /* of the member under way, in an object */
};

struct qga_parser {
	const struct qga_parser_ops *ops;
	void *data;
	struct qga_lexer *lexer;
	enum expect expect;
	bool recovering; /* from an error inside a value */
	long braces, brackets; /* open ones, also while recovering */
	size_t text_len, nr_tokens; /* of the value so far */
	unsigned int depth;
	struct frame frames[QGA_PARSER_DEPTH_MAX];
};

static struct frame *top(struct qga_parser *parser)
{
	return &parser->frames[parser->depth - 1];
}

static bool in_object(struct qga_parser *parser)
{
	return json_object_is_type(top(parser)->container, json_type_object);
}

static void drop_frames(struct qga_parser *parser)
{
	struct frame *frame;

	while (parser->depth) {
		frame = top(parser);
		free(frame->key);
		json_object_put(frame->container);
		*frame = (struct frame){NULL, NULL};
		parser->depth--;
	}
}

/* Ready for the next top-level value. */
static void start_anew(struct qga_parser *parser)
{
	drop_frames(parser);
	parser->expect = EXPECT_VALUE;
	parser->recovering = false;
	parser->braces = 0;
	parser->brackets = 0;
	parser->text_len = 0;
	parser->nr_tokens = 0;
}

static const char *add_member(struct frame *frame, struct json_object *value)
{
	int err;

	if (json_object_object_get_ex(frame->container, frame->key, NULL)) {
		json_object_put(value);
		return "duplicate key";
	}
	err = json_object_object_add(frame->container, frame->key, value);
	free(frame->key);
	frame->key = NULL;
	if (!err)
		return NULL;
	json_object_put(value);
	return NO_MEMORY;
}

/* A value is complete: hand it out, or put it where it belongs. */
static const char *complete(struct qga_parser *parser, struct json_object *value)
{
	if (!parser->depth) {
		start_anew(parser);
		parser->ops->value(parser->data, value);
		return NULL;
	}
	parser->expect = EXPECT_COMMA_OR_END;
	if (in_object(parser))
		return add_member(top(parser), value);
	if (!json_object_array_add(top(parser)->container, value))
		return NULL;
	json_object_put(value);
	return NO_MEMORY;
}

static const char *open_container(struct qga_parser *parser,
				  enum qga_token_type type)
{
	bool object = type == QGA_TOKEN_LEFT_BRACE;
	struct json_object *container;

	container = object ? json_object_new_object() : json_object_new_array();
	if (!container)
		return NO_MEMORY;
	parser->depth++;
	*top(parser) = (struct frame){container, NULL};
	parser->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	return NULL;
}

static const char *close_container(struct qga_parser *parser)
{
	struct json_object *container = top(parser)->container;

	parser->depth--;
	return complete(parser, container);
}

static const char *take_string(struct qga_parser *parser,
			       const struct qga_token *token)
{
	struct json_object *value;
	const char *error;
	char *text;

	error = qga_string_decode(token->text, token->len, &text);
	if (error)
		return error;
	value = json_object_new_string(text);
	free(text);
	return value ? complete(parser, value) : NO_MEMORY;
}

static struct json_object *new_integer(const char *text)
{
	long long number;
	unsigned long long positive;

	errno = 0;
	number = strtoll(text, NULL, 10);
	if (!errno)
		return json_object_new_int64(number);
	errno = 0;
	positive = strtoull(text, NULL, 10);
	if (!errno && *text != '-')
		return json_object_new_uint64(positive);
	return json_object_new_double(strtod(text, NULL));
}

static const char *take_number(struct qga_parser *parser,
			       const struct qga_token *token)
{
	struct json_object *value;
	double number = strtod(token->text, NULL);

	/* qemu-ga would echo it as "inf", which no host can read */
	if (isinf(number))
		return "number is out of range";
	if (token->type == QGA_TOKEN_INTEGER)
		value = new_integer(token->text);
	else
		value = json_object_new_double(number);
	return value ? complete(parser, value) : NO_MEMORY;
}

static const char *take_keyword(struct qga_parser *parser,
				const struct qga_token *token)
{
	static char error[96];
	struct json_object *value;

	if (!strcmp(token->text, "null"))
		return complete(parser, NULL);
	if (!strcmp(token->text, "true") || !strcmp(token->text, "false")) {
		value = json_object_new_boolean(*token->text == 't');
		return value ? complete(parser, value) : NO_MEMORY;
	}
	snprintf(error, sizeof(error), "invalid keyword '%.64s'", token->text);
	return error;
}

static const char *take_value(struct qga_parser *parser,
			      const struct qga_token *token)
{
	switch (token->type) {
	case QGA_TOKEN_LEFT_BRACE:
	case QGA_TOKEN_LEFT_BRACKET:
		return open_container(parser, token->type);
	case QGA_TOKEN_RIGHT_BRACKET:
		if (parser->expect == EXPECT_VALUE_OR_END)
			return close_container(parser);
		return "expecting value";
	case QGA_TOKEN_STRING:
		return take_string(parser, token);
	case QGA_TOKEN_INTEGER:
	case QGA_TOKEN_FLOAT:
		return take_number(parser, token);
	case QGA_TOKEN_KEYWORD:
		return take_keyword(parser, token);
	default:
		return "expecting value";
	}
}

static const char *take_key(struct qga_parser *parser,
			    const struct qga_token *token)
{
	if (token->type == QGA_TOKEN_RIGHT_BRACE &&
	    parser->expect == EXPECT_KEY_OR_END)
		return close_container(parser);
	if (token->type != QGA_TOKEN_STRING)
		return "expecting key";
	parser->expect = EXPECT_COLON;
	return qga_string_decode(token->text, token->len, &top(parser)->key);
}

static const char *take_comma_or_end(struct qga_parser *parser,
				     const struct qga_token *token)
{
	bool object = in_object(parser);

	if (token->type == QGA_TOKEN_COMMA) {
		parser->expect = object ? EXPECT_KEY : EXPECT_VALUE;
		return NULL;
	}
	if (token->type ==
	    (object ? QGA_TOKEN_RIGHT_BRACE : QGA_TOKEN_RIGHT_BRACKET))
		return close_container(parser);
	return object ? "expected ',' or '}'" : "expected ',' or ']'";
}

static const char *take_token(struct qga_parser *parser,
			      const struct qga_token *token)
{
	switch (parser->expect) {
	case EXPECT_KEY:
	case EXPECT_KEY_OR_END:
		return take_key(parser, token);
	case EXPECT_COLON:
		if (token->type != QGA_TOKEN_COLON)
			return "expecting ':'";
		parser->expect = EXPECT_VALUE;
		return NULL;
	case EXPECT_COMMA_OR_END:
		return take_comma_or_end(parser, token);
	default:
		return take_value(parser, token);
	}
}

static void count_brackets(struct qga_parser *parser, enum qga_token_type type)
{
	parser->braces += type == QGA_TOKEN_LEFT_BRACE;
	parser->braces -= type == QGA_TOKEN_RIGHT_BRACE;
	parser->brackets += type == QGA_TOKEN_LEFT_BRACKET;
	parser->brackets -= type == QGA_TOKEN_RIGHT_BRACKET;
}

static bool value_is_over(const struct qga_parser *parser)
{
	return parser->braces < 0 || parser->brackets < 0 ||
	       (!parser->braces && !parser->brackets);
}

/* Skip the rest of the value; what it held is given back at once. */
static void recover(struct qga_parser *parser)
{
	drop_frames(parser);
	parser->recovering = true;
	if (value_is_over(parser))
		start_anew(parser);
}

static void parse_error(struct qga_parser *parser,
			const struct qga_token *token, const char *reason)
{
	char text[256];

	snprintf(text, sizeof(text), "%lu:%lu: JSON parse error, %s",
		 token->line, token->column, reason);
	parser->ops->error(parser->data, text);
}

/* A byte that cannot be JSON ends what was under way, without a word when an
 * error has been told already. */
static void take_stray(struct qga_parser *parser, const struct qga_token *token)
{
	bool silent = parser->recovering;
	char reason[96];

	start_anew(parser);
	if (token->len && (unsigned char)token->text[token->len - 1] >= 0xfe)
		parser->ops->reset(parser->data);
	if (silent)
		return;
	snprintf(reason, sizeof(reason), "stray '%.64s'", token->text);
	parse_error(parser, token, reason);
}

/* NULL, or which limit the value has exceeded. */
static const char *exceeded(struct qga_parser *parser,
			    const struct qga_token *token)
{
	parser->text_len += token->len;
	parser->nr_tokens++;
	if (token->type == QGA_TOKEN_TOO_LONG ||
	    parser->text_len > QGA_PARSER_TEXT_MAX)
		return "JSON token size limit exceeded";
	if (parser->nr_tokens > QGA_PARSER_TOKENS_MAX)
		return "JSON token count limit exceeded";
	if (parser->braces + parser->brackets > QGA_PARSER_DEPTH_MAX)
		return "JSON nesting depth limit exceeded";
	return NULL;
}

/* A value of too much text has no end worth waiting for but its line's. */
static void skip_line(struct qga_parser *parser)
{
	start_anew(parser);
	qga_lexer_skip_line(parser->lexer);
}

static void found_token(void *data, const struct qga_token *token)
{
	struct qga_parser *parser = data;
	const char *limit, *reason;

	if (token->type == QGA_TOKEN_STRAY) {
		take_stray(parser, token);
		return;
	}
	count_brackets(parser, token->type);
	if (parser->recovering) {
		if (value_is_over(parser) || token->type == QGA_TOKEN_TOO_LONG)
			start_anew(parser);
		return;
	}
	limit = exceeded(parser, token);
	if (limit) {
		parser->ops->error(parser->data, limit);
		if (parser->text_len > QGA_PARSER_TEXT_MAX ||
		    token->type == QGA_TOKEN_TOO_LONG)
			skip_line(parser);
		else
			recover(parser);
		return;
	}
	reason = take_token(parser, token);
	if (reason) {
		parse_error(parser, token, reason);
		recover(parser);
	}
}

struct qga_parser *qga_parser_new(const struct qga_parser_ops *ops, void *data)
{
	struct qga_parser *parser = calloc(1, sizeof(*parser));

	if (!parser)
		return NULL;
	parser->ops = ops;
	parser->data = data;
	parser->lexer = qga_lexer_new(found_token, parser);
	if (!parser->lexer) {
		free(parser);
		return NULL;
	}
	return parser;
}

void qga_parser_free(struct qga_parser *parser)
{
	if (!parser)
		return;
	drop_frames(parser);
	qga_lexer_free(parser->lexer);
	free(parser);
}

void qga_parser_feed(struct qga_parser *parser, const char *bytes, size_t len)
{
	qga_lexer_feed(parser->lexer, bytes, len);
}

void qga_parser_reset(struct qga_parser *parser)
{
	start_anew(parser);
	qga_lexer_reset(parser->lexer);
}
