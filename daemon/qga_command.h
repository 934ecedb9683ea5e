/* SPDX-License-Identifier: GPL-2.0 */
/* The table of all commands, and which of them may run now. */
#ifndef KFREEZE_QGA_COMMAND_H
#define KFREEZE_QGA_COMMAND_H

#include <stdbool.h>

struct qga_context;
struct qga_request;

enum qga_type {
	QGA_INTEGER,
	QGA_STRINGS, /* an array of strings */
};

struct qga_parameter {
	const char *name;
	enum qga_type type;
	bool optional;
};

struct qga_command {
	const char *name;
	bool while_frozen; /* even if it is blocked by the configuration */
	struct qga_parameter parameter; /* name is NULL if it takes none */
	void (*run)(struct qga_request *request);
};

/* Ends with an entry without name. */
extern const struct qga_command qga_commands[];

const struct qga_command *qga_command_find(const char *name);
bool qga_command_is_allowed(const struct qga_context *context,
			    const struct qga_command *command);

/* Checks the arguments, then runs the command. Ends @request. */
void qga_command_run(const struct qga_command *command,
		     struct qga_request *request);

#endif
