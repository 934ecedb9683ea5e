// SPDX-License-Identifier: GPL-2.0
/* A word that is not understood is an error: its author relies on it. */
#include "hook_header.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_SIZE 4096 /* of the script, where the header has to be */
#define KEY "kfreeze:"
#define MAX_TIMEOUT 600 /* seconds, as in the settings */

/* The script's first bytes, as a string; their number or -errno. */
static ssize_t read_head(const char *path, char head[HEAD_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, head, HEAD_SIZE - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	head[len < 0 ? 0 : len] = '\0';
	return len;
}

static int parse_timeout(const char *value, struct hook_header *header)
{
	unsigned long seconds;
	char *end;

	seconds = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || seconds < 1 ||
	    seconds > MAX_TIMEOUT)
		return -EINVAL;
	header->timeout_ms = seconds * 1000;
	return 0;
}

static int parse_word(const char *word, struct hook_header *header)
{
	if (!strncmp(word, "timeout=", strlen("timeout=")))
		return parse_timeout(word + strlen("timeout="), header);
	if (!strcmp(word, "policy=continue"))
		header->policy = HOOK_POLICY_CONTINUE;
	else if (!strcmp(word, "policy=abort"))
		header->policy = HOOK_POLICY_ABORT;
	else if (!strcmp(word, "parallel"))
		header->parallel = true;
	else
		return -EINVAL;
	return 0;
}

static int parse_words(char *words, struct hook_header *header,
		       char error[HOOK_HEADER_ERROR_MAX])
{
	char *word, *rest = words;
	int err;

	while ((word = strsep(&rest, " \t\r"))) {
		err = *word ? parse_word(word, header) : 0;
		if (err) {
			snprintf(error, HOOK_HEADER_ERROR_MAX,
				 "refused: header: '%.24s' is not timeout=1..%d, policy=abort, policy=continue or parallel",
				 word, MAX_TIMEOUT);
			return err;
		}
	}
	return 0;
}

int hook_header_read(const char *path, struct hook_header *header,
		     char error[HOOK_HEADER_ERROR_MAX])
{
	char head[HEAD_SIZE], *line, *rest = head;
	ssize_t len = read_head(path, head);
	int err = 0;

	*header = (struct hook_header){0};
	if (len < 0) {
		snprintf(error, HOOK_HEADER_ERROR_MAX, "%s", strerror(-len));
		return len;
	}
	if (strncmp(head, "#!", 2))
		return 0;
	while (!err && (line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t\r");
		if (*line && *line != '#')
			break;
		line += strspn(line, "# \t");
		if (!strncmp(line, KEY, strlen(KEY)))
			err = parse_words(line + strlen(KEY), header, error);
	}
	return err;
}
