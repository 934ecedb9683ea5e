// SPDX-License-Identifier: GPL-2.0
/* Variables for execve(), all made before the fork. */
#include "hook_environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mounts.h"

#define MOUNTS_TEXT_SIZE 65536 /* the kernel allows twice that */
#define ESCAPED_MAX 4 /* "\040" */

void hook_environment_reset(struct hook_environment *environment)
{
	while (environment->nr)
		free(environment->variables[--environment->nr]);
	memset(environment, 0, sizeof(*environment));
	hook_environment_set(environment, "PATH",
			     "/usr/local/sbin:/usr/local/bin:"
			     "/usr/sbin:/usr/bin:/sbin:/bin");
	hook_environment_set(environment, "HOME", "/root");
	hook_environment_set(environment, "LANG", "C");
}

static char **find(struct hook_environment *environment, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < environment->nr; i++) {
		if (!strncmp(environment->variables[i], name, len) &&
		    environment->variables[i][len] == '=')
			return &environment->variables[i];
	}
	return NULL;
}

const char *hook_environment_get(struct hook_environment *environment,
				 const char *name)
{
	char **known = find(environment, name);

	return known ? *known : NULL;
}

static void drop(struct hook_environment *environment, char **variable)
{
	free(*variable);
	*variable = environment->variables[--environment->nr];
	environment->variables[environment->nr] = NULL;
}

void hook_environment_set(struct hook_environment *environment,
			  const char *name, const char *value)
{
	char **known = find(environment, name), *variable;

	if (known)
		drop(environment, known);
	if (environment->nr < HOOK_ENVIRONMENT_MAX &&
	    asprintf(&variable, "%s=%s", name, value) >= 0)
		environment->variables[environment->nr++] = variable;
}

void hook_environment_set_number(struct hook_environment *environment,
				 const char *name, uint32_t value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", value);
	hook_environment_set(environment, name, digits);
}

/* What separates fields and lines, and the backslash itself. */
static size_t escape(char *out, const char *path)
{
	char *end = out;

	for (; *path; path++) {
		if (strchr(" \t\n\\", *path))
			end += snprintf(end, ESCAPED_MAX + 1, "\\%03o", *path);
		else
			*end++ = *path;
	}
	return end - out;
}

static size_t add_line(char *line, const struct mounts_target *target)
{
	size_t len = snprintf(line, 32, "%u:%u ", major(target->dev),
			      minor(target->dev));

	len += escape(line + len, target->path);
	line[len++] = '\n';
	return len;
}

void hook_environment_set_mounts(struct hook_environment *environment,
				 const char *name, const struct mounts *mounts)
{
	char *text = malloc(MOUNTS_TEXT_SIZE);
	size_t len = 0, i;

	if (!text)
		return;
	for (i = 0; i < mounts->nr_targets; i++) {
		if (len + 64 + ESCAPED_MAX * strlen(mounts->targets[i].path) >
		    MOUNTS_TEXT_SIZE) {
			strcpy(text + len, "...\n");
			len += 4;
			break;
		}
		len += add_line(text + len, &mounts->targets[i]);
	}
	text[len ? len - 1 : 0] = '\0'; /* the last newline */
	hook_environment_set(environment, name, text);
	free(text);
}
