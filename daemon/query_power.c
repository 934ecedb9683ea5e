// SPDX-License-Identifier: GPL-2.0
/*
 * The system's own programs do it: they tell users and services. Without
 * systemd a suspend is a word written into /sys/power/state.
 */
#include "query_power.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "query_child.h"
#include "query_command.h"
#include "query_file.h"

#define SHUTDOWN "/sbin/shutdown"
#define SYSTEMCTL "/bin/systemctl"
#define STATE "/sys/power/state"

int query_power_shutdown(struct query_child *child)
{
	static const struct {
		const char *option, *program;
	} modes[] = {
		[QUERY_POWERDOWN] = {"-P", "/sbin/poweroff"},
		[QUERY_HALT] = {"-H", "/sbin/halt"},
		[QUERY_REBOOT] = {"-r", "/sbin/reboot"},
	};
	const char *const shutdown[] = {
		SHUTDOWN, modes[child->query->mode].option,
		"+0",	  "hypervisor initiated shutdown",
		NULL,
	};
	const char *const other[] = {modes[child->query->mode].program, NULL};

	return query_command_run(
		child, query_file_exists(child, SHUTDOWN) ? shutdown : other,
		"shut down");
}

struct suspend {
	const char *verb; /* of systemctl */
	const char *state; /* of /sys/power/state */
	const char *disk; /* of /sys/power/disk, or NULL */
};

static const struct suspend suspends[] = {
	[QUERY_SUSPEND_DISK] = {"hibernate", "disk", NULL},
	[QUERY_SUSPEND_RAM] = {"suspend", "mem", NULL},
	[QUERY_SUSPEND_HYBRID] = {"hybrid-sleep", "disk", "suspend"},
};

/* One of the words of the file, which may be "[chosen]". */
static bool offers(struct query_child *child, const char *path, const char *word)
{
	char line[256], *text, *next = line;

	if (query_file_line(child, line, sizeof(line), "%s", path))
		return false;
	while ((text = strsep(&next, " "))) {
		text += *text == '[';
		text[strcspn(text, "]")] = '\0';
		if (!strcmp(text, word))
			return true;
	}
	return false;
}

static bool is_supported(struct query_child *child, const struct suspend *suspend)
{
	return offers(child, STATE, suspend->state) &&
	       (!suspend->disk ||
		offers(child, "/sys/power/disk", suspend->disk));
}

static int write_word(struct query_child *child, const char *path,
		      const char *word)
{
	int err = query_file_write(child, word, "%s", path);

	return err ? query_child_fail(child, err, "%s: cannot write: %s", path,
				      strerror(-err))
		   : 0;
}

int query_power_suspend(struct query_child *child)
{
	const struct suspend *suspend = &suspends[child->query->mode];
	const char *const argv[] = {SYSTEMCTL, suspend->verb, NULL};
	int err = 0;

	if (!is_supported(child, suspend))
		return query_child_fail(
			child, -EOPNOTSUPP,
			"the requested suspend mode is not supported by the guest");
	if (query_file_exists(child, "/run/systemd/system"))
		return query_command_run(child, argv, "suspend");
	if (suspend->disk)
		err = write_word(child, "/sys/power/disk", suspend->disk);
	return err ? err : write_word(child, STATE, suspend->state);
}
