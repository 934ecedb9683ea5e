// SPDX-License-Identifier: GPL-2.0
/* The kernel's trace of events. */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "disk.h"

#define TRACING "/sys/kernel/tracing/"
#define TRACE_SIZE (1 << 20)
#define PATIENCE_MS 5000

static void must(int err, const char *what)
{
	if (!err)
		return;
	printf("# trace: cannot %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

void trace_setup(void)
{
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	/* all processors', to the nanosecond of ktime_get() */
	must(file_write(TRACING "trace_clock", "mono"), "set its clock");
	/* nor the scheduler's code patched, which QEMU's TCG may not survive */
	must(file_write(TRACING "options/record-cmd", "0"), "leave out names");
}

void trace_teardown(void)
{
	must(file_write(TRACING "events/enable", "0"), "end it");
}

void trace_start(const char *events)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "events/%s/enable", events);
	must(file_write(TRACING "trace", ""), "empty it");
	must(file_write(path, "1"), "begin it");
}

const char *trace_read(const char *wanted)
{
	static char text[TRACE_SIZE];
	long long until = clock_ms() + PATIENCE_MS;
	FILE *f;

	do {
		f = fopen(TRACING "trace", "re");
		must(f ? 0 : -errno, "read it");
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
		if (strstr(text, wanted))
			return text;
	} while (clock_ms() < until);
	printf("# not in the trace: %s\n", wanted);
	exit(EXIT_FAILURE);
}
