/* SPDX-License-Identifier: GPL-2.0 */
/* The table of all commands, and which of them may run now. */
#ifndef KFREEZE_QGA_COMMAND_H
#define KFREEZE_QGA_COMMAND_H

#include <stdbool.h>

struct qga_context;
struct qga_request;

enum qga_type {
	QGA_INTEGER,
	QGA_STRING,
	QGA_STRINGS, /* an array of strings */
	QGA_OBJECTS, /* an array of objects: the command looks into them */
};

struct qga_parameter {
	const char *name;
	enum qga_type type;
	bool optional;
};

/* Also while frozen, even if it is blocked by the configuration. */
#define QGA_WHILE_FROZEN 1
#define QGA_SILENT 2 /* nothing is replied to a success */

struct qga_command {
	const char *name;
	unsigned int flags;
	struct qga_parameter parameter; /* name is NULL if it takes none */
	void (*run)(struct qga_request *request);
};

/* Ends with an entry without name. */
extern const struct qga_command qga_commands[];

const struct qga_command *qga_command_find(const char *name);
/* Of ours, or one of qemu-ga's that we do not have. */
bool qga_command_is_known(const char *name);
bool qga_command_is_allowed(const struct qga_context *context,
			    const struct qga_command *command);

/* Checks the arguments, then runs the command. Ends @request. */
void qga_command_run(const struct qga_command *command,
		     struct qga_request *request);

#endif
