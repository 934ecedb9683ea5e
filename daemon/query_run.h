/* SPDX-License-Identifier: GPL-2.0 */
/* What a child of the monitor's does, once it is one. */
#ifndef KFREEZE_QUERY_RUN_H
#define KFREEZE_QUERY_RUN_H

struct query;

/* Answers @query on @fd, a blocking socket, with struct ipc_reply. */
_Noreturn void query_run(const struct query *query, int fd);

#endif
