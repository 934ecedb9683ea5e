/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that do what the system has no call for. */
#ifndef KFREEZE_QUERY_COMMAND_H
#define KFREEZE_QUERY_COMMAND_H

struct query_child;

/* Run @argv, without a shell, to its end. 0, or -errno and a text that says
 * that it has failed to @purpose, with its output. */
int query_command_run(struct query_child *child, const char *const argv[],
		      const char *purpose);

#endif
