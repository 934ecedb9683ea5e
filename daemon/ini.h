/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the ini files of both daemons: [section], key = value, # comments. */
#ifndef KFREEZE_INI_H
#define KFREEZE_INI_H

struct ini_entry {
	const char *file;
	unsigned int line;
	const char *section;
	const char *key;
	const char *value;
};

/* 0 or -errno, logged. */
typedef int (*ini_entry_fn)(void *data, const struct ini_entry *entry);

/* Calls @found for every entry until it fails. 0 or -errno; -ENOENT is not
 * logged, every other error is, with file and line. */
int ini_read(const char *file, ini_entry_fn found, void *data);

#endif
