// SPDX-License-Identifier: GPL-2.0
/*
 * An ini reader of our own: libinih cuts lines at 200 bytes and takes the
 * rest for the next one, and allow-rpcs lists of the field are longer.
 */
#include "ini.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static int complain(const struct ini_entry *at, const char *reason)
{
	log_err("%s:%u: %s", at->file, at->line, reason);
	return -EINVAL;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* Replaces @section when @text is a header. */
static int parse_section(char *text, struct ini_entry *at, char **section)
{
	size_t len = strlen(text);
	char *name;

	if (text[len - 1] != ']')
		return complain(at, "a section needs its closing ']'");
	text[len - 1] = '\0';
	name = strdup(text + 1);
	if (!name)
		return -ENOMEM;
	free(*section);
	*section = name;
	at->section = name;
	return 0;
}

static int parse_line(char *line, struct ini_entry *at, char **section,
		      ini_entry_fn found, void *data)
{
	char *text = trim(line), *equals;

	if (!*text || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		return parse_section(text, at, section);
	equals = strchr(text, '=');
	if (!equals)
		return complain(at, "expected KEY = VALUE or [SECTION]");
	if (!at->section)
		return complain(at, "a [SECTION] must come first");
	*equals = '\0';
	at->key = trim(text);
	at->value = trim(equals + 1);
	return found(data, at);
}

int ini_read(const char *file, ini_entry_fn found, void *data)
{
	struct ini_entry at = {.file = file};
	char *line = NULL, *section = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *stream;
	int err = 0;

	stream = fopen(file, "re");
	if (!stream) {
		err = -errno;
		if (err != -ENOENT)
			log_err("%s: cannot open: %s", file, strerror(-err));
		return err;
	}
	while (!err && (len = getline(&line, &size, stream)) >= 0) {
		at.line++;
		if (memchr(line, '\0', len))
			err = complain(&at, "NUL in a line");
		else
			err = parse_line(line, &at, &section, found, data);
	}
	if (!err && ferror(stream)) {
		err = -errno;
		log_err("%s: cannot read: %s", file, strerror(-err));
	}
	free(section);
	free(line);
	fclose(stream);
	return err;
}
