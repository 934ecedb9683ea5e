/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One line per event, to the journal when started by systemd, to a file or
 * stderr otherwise. While something may be frozen lines are held in memory.
 */
#ifndef KFREEZE_LOG_H
#define KFREEZE_LOG_H

#include <stdbool.h>

/* What admins grep for in their logs: both processes are one agent to them. */
#define LOG_IDENT "qemu-ga"

/* @path: NULL for journal or stderr. Opened here, never later. 0 or -errno. */
int log_init(const char *ident, const char *path, bool verbose);

void log_set_verbose(bool verbose);

bool log_is_journal(void);

void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* @priority: of syslog(3). @fields: what the journal can be searched for, as
 * "NAME=value\nNAME=value". */
void log_with(int priority, const char *fields, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* From hold to release nothing is written; memory is bounded, lines that do
 * not fit are counted and the count is logged. Lines keep their true time. */
void log_hold(void);
void log_release(void);

#endif
