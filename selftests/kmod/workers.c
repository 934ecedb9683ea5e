// SPDX-License-Identifier: GPL-2.0
/* The module's thaws where no worker can be created. */
#include "workers.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "disk.h"

#define CPUMASK "/sys/devices/virtual/workqueue/cpumask"
#define THREADS_MAX "/proc/sys/kernel/threads-max"

/* What was there, read before every test: the test may not come to its end. */
static char cpumask[64], threads_max[64];

/* Other processors, hence new pools, with one worker each, and never more. */
int workers_starve(void)
{
	int err = file_write(CPUMASK, "1");

	return err ? err
		   : file_write(THREADS_MAX, "20"); /* the least it takes */
}

int workers_feed(void)
{
	int err = file_write(THREADS_MAX, threads_max);

	return err ? err : file_write(CPUMASK, cpumask);
}

void workers_setup(void)
{
	file_read(CPUMASK, cpumask, sizeof(cpumask));
	file_read(THREADS_MAX, threads_max, sizeof(threads_max));
}

void workers_teardown(void)
{
	workers_feed();
}

/* "89 (kfreeze_thaw+kfreeze_thaw) D 2 ...", since 6.9 "(kworker/R-kfree..." */
static bool is_stuck_rescuer(const char *pid)
{
	char path[64], stat[128] = "", *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(stat, sizeof(stat), f))
		stat[0] = '\0';
	fclose(f);
	state = strstr(stat, ") ");
	return state && state[2] == 'D' &&
	       (strstr(stat, "(kfreeze_thaw") ||
		strstr(stat, "(kworker/R-kfree"));
}

bool workers_rescuer_is_stuck(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc)))
		found = is_stuck_rescuer(entry->d_name);
	if (proc)
		closedir(proc);
	return found;
}

bool workers_rescuer_gets_stuck(void)
{
	long long until = clock_ms() + 10000;

	while (!workers_rescuer_is_stuck()) {
		if (clock_ms() > until)
			return false;
		sched_yield();
	}
	return true;
}
