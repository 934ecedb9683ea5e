// SPDX-License-Identifier: GPL-2.0
/* Lines of /proc/stat and /proc/diskstats: a name, then numbers. */
#include "query_stats.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "query_child.h"
#include "query_file.h"

#define CPU_TIMES_MIN 4
#define DISK_COUNTERS_MIN 11

/* How many there are, up to @max. */
static uint32_t read_numbers(const char *text, uint64_t *numbers, uint32_t max)
{
	char *end;
	uint32_t nr;

	for (nr = 0; nr < max; nr++, text = end) {
		numbers[nr] = strtoull(text, &end, 10);
		if (end == text)
			break;
	}
	return nr;
}

/* 0 if the line is about something else. */
static int emit_cpu(struct query_child *child, const char *line)
{
	struct query_record record = {.kind = QUERY_CPU_TIMES};
	uint64_t ticks_per_s = sysconf(_SC_CLK_TCK);
	int len = 0;
	uint32_t i;

	/* not the sum of all, whose name has no number */
	if (strncmp(line, "cpu", 3) || !isdigit(line[3]) ||
	    sscanf(line, "cpu%" SCNu32 "%n", &record.cpu.cpu, &len) != 1)
		return 0;
	record.cpu.nr = read_numbers(line + len, record.cpu.times_ms,
				     QUERY_CPU_TIMES_MAX);
	if (record.cpu.nr < CPU_TIMES_MIN)
		return 0;
	for (i = 0; i < record.cpu.nr; i++)
		record.cpu.times_ms[i] = record.cpu.times_ms[i] * 1000 /
					 ticks_per_s;
	return child->emit(child->data, &record);
}

static int emit_disk(struct query_child *child, const char *line)
{
	struct query_record record = {.kind = QUERY_DISK_COUNTERS};
	struct query_counters *counters = &record.counters;
	int len = 0;

	if (sscanf(line, "%" SCNu32 " %" SCNu32 " %63s%n", &counters->major,
		   &counters->minor, counters->name, &len) != 3)
		return 0;
	counters->nr = read_numbers(line + len, counters->values,
				    QUERY_DISK_COUNTERS_MAX);
	if (counters->nr < DISK_COUNTERS_MIN)
		return 0;
	return child->emit(child->data, &record);
}

static int each_line(struct query_child *child, const char *path,
		     int (*emit)(struct query_child *child, const char *line))
{
	FILE *file = query_file_open(child, "%s", path);
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	if (!file)
		return query_child_fail(child, -errno, "open(\"%s\"): %s", path,
					strerror(errno));
	while (!err && getline(&line, &size, file) > 0)
		err = emit(child, line);
	free(line);
	fclose(file);
	return err;
}

int query_stats_cpu(struct query_child *child)
{
	return each_line(child, "/proc/stat", emit_cpu);
}

int query_stats_disk(struct query_child *child)
{
	return each_line(child, "/proc/diskstats", emit_disk);
}
