/* SPDX-License-Identifier: GPL-2.0 */
/* The guest agent protocol on one port: bytes in, lines out. */
#ifndef KFREEZE_QGA_H
#define KFREEZE_QGA_H

#include <stddef.h>

struct config;
struct monitor_client;
struct qga;

struct qga_ops {
	/* A whole line, with the 0xFF before it if it has one. */
	void (*reply)(void *data, const char *bytes, size_t len);
	/* A host has synced; its reply comes next. */
	void (*greeted)(void *data);
};

/* NULL when out of memory. */
struct qga *qga_new(const struct config *config, struct monitor_client *monitor,
		    const struct qga_ops *ops, void *data);
void qga_free(struct qga *qga);

void qga_receive(struct qga *qga, const char *bytes, size_t len);

/* The host is gone: half a command is forgotten, late replies are dropped. */
void qga_forget_host(struct qga *qga);

/* The host may be gone: half a command is forgotten. A late reply is dropped
 * when the next host syncs, as all do first. */
void qga_forget_input(struct qga *qga);

/* The names of all commands on stdout, for --block-rpcs=help. */
void qga_print_commands(void);

#endif
