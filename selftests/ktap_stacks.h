// SPDX-License-Identifier: GPL-2.0
/* Where the processes of a test are whose time is up: what root may see. */
#ifndef KTAP_STACKS_H
#define KTAP_STACKS_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define KTAP_FRAMES 8 /* the innermost ones */

/* "[<0>] poll_schedule_timeout+0x4b/0x90" without address and offsets. */
static inline void ktap_print_frame(const char *line)
{
	const char *name = strchr(line, ' ');

	name = name ? name + 1 : line;
	printf(" %.*s", (int)strcspn(name, "+\n"), name);
}

static inline void ktap_print_stack(pid_t pid)
{
	char path[64], line[256];
	int nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "re");
	while (f && nr++ < KTAP_FRAMES && fgets(line, sizeof(line), f))
		ktap_print_frame(line);
	if (f)
		fclose(f);
}

static inline void ktap_print_if_of(pid_t session, pid_t pid)
{
	char path[64], name[32], state;
	int sid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fscanf(f, "%*d (%31[^)]) %c %*d %*d %d", name, &state, &sid) == 3 &&
	    sid == session) {
		printf("# %s[%d] %c:", name, pid, state);
		ktap_print_stack(pid);
		putchar('\n');
	}
	fclose(f);
}

static inline void ktap_print_stacks(pid_t session)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0)
			ktap_print_if_of(session, atoi(entry->d_name));
	if (dir)
		closedir(dir);
}

#endif /* KTAP_STACKS_H */
