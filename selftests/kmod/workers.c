// SPDX-License-Identifier: GPL-2.0
/* Who runs the module's works, and when. */
#include "workers.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Is its line in /proc/PID/stat a wanted one? */
static bool is_wanted(const char *pid, bool (*wanted)(const char *stat))
{
	char path[64], stat[128] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(stat, sizeof(stat), f))
		stat[0] = '\0';
	fclose(f);
	return wanted(stat);
}

/* The process ids of at most @max; how many that are. */
static int find_threads(bool (*wanted)(const char *stat), pid_t pids[], int max)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int nr = 0;

	while (proc && nr < max && (entry = readdir(proc)))
		if (is_wanted(entry->d_name, wanted))
			pids[nr++] = atoi(entry->d_name);
	if (proc)
		closedir(proc);
	return nr;
}

/* Its process id, or 0. */
static pid_t find_thread(bool (*wanted)(const char *stat))
{
	pid_t found = 0;

	find_threads(wanted, &found, 1);
	return found;
}

/* "89 (kfreeze_thaw+kfreeze_thaw) D 2 ...", since 6.9 "(kworker/R-kfree..." */
static bool is_stuck_rescuer(const char *stat)
{
	const char *state = strstr(stat, ") ");

	return state && state[2] == 'D' &&
	       (strstr(stat, "(kfreeze_thaw") ||
		strstr(stat, "(kworker/R-kfree"));
}

static bool is_waiting_to_freeze(const char *stat)
{
	return strstr(stat, "(kworker") &&
	       process_sleeps_in(atoi(stat), "freeze_super");
}

static bool is_watchdog(const char *stat)
{
	return strstr(stat, "(kfreeze_watch");
}

static bool is_unbound(const char *stat)
{
	return strstr(stat, "(kworker/u");
}

int workers_find(pid_t pids[], int max)
{
	return find_threads(is_unbound, pids, max);
}

bool workers_rescuer_is_stuck(void)
{
	return find_thread(is_stuck_rescuer);
}

bool workers_wait_to_freeze(void)
{
	return find_thread(is_waiting_to_freeze);
}

/* How often the stuck rescuer has gone to sleep, or -1 if none is stuck. */
static long count_sleeps(void)
{
	static const char field[] = "voluntary_ctxt_switches:";
	char path[64], line[128];
	pid_t rescuer = find_thread(is_stuck_rescuer);
	long nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", rescuer);
	f = rescuer ? fopen(path, "re") : NULL;
	while (f && nr < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			nr = strtol(line + strlen(field), NULL, 10);
	if (f)
		fclose(f);
	return nr;
}

/* Whoever waits for a disk that works does not sleep as long at a stretch. */
bool workers_rescuer_gets_stuck(void)
{
	long long until = clock_ms() + 10000;
	long sleeps;

	do {
		if (clock_ms() > until)
			return false;
		sleeps = count_sleeps();
		poll(NULL, 0, 200);
	} while (sleeps < 0 || count_sleeps() != sleeps);
	return true;
}

static int schedule_watchdog(unsigned long processors, int policy, int priority)
{
	const struct sched_param param = {.sched_priority = priority};
	pid_t watchdog = find_thread(is_watchdog);

	if (!watchdog)
		return -ESRCH;
	if (sched_setaffinity(watchdog, sizeof(processors),
			      (const cpu_set_t *)&processors) ||
	    sched_setscheduler(watchdog, policy, &param))
		return -errno;
	return 0;
}

int workers_outrun_watchdog(void)
{
	int err = file_write(CPUMASK, "1");

	return err ? err : schedule_watchdog(1, SCHED_IDLE, 0);
}

void workers_setup(void)
{
	file_read(CPUMASK, cpumask, sizeof(cpumask));
	file_read(THREADS_MAX, threads_max, sizeof(threads_max));
}

/* As the module made it, if it is loaded. */
void workers_teardown(void)
{
	workers_feed();
	schedule_watchdog(-1UL, SCHED_FIFO, 1);
}
