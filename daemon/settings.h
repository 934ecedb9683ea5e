/* SPDX-License-Identifier: GPL-2.0 */
/* The table of all settings: their names, values and defaults. */
#ifndef KFREEZE_SETTINGS_H
#define KFREEZE_SETTINGS_H

struct config;
struct setting;

enum settings_file {
	SETTINGS_QGA = 1, /* qemu-ga.conf */
	SETTINGS_KFREEZE = 2, /* kfreezed.conf */
	SETTINGS_MONITOR_LINE = 4, /* no file: kfreeze-monitor's options */
};

extern const struct config settings_defaults;

/* NULL if there is no such setting in that file. */
const struct setting *settings_find(enum settings_file file,
				    const char *section, const char *key);

/* @where: "FILE:LINE" or the option, for the line that is logged when @value is
 * refused. 0 or -errno. */
int settings_set(struct config *config, const struct setting *setting,
		 const char *value, const char *where);

#endif
