// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: fail-nth of one thread, failslab and fail_page_alloc. */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

/*
 * Order of the pages that may fail. Those of the slab allocator are asked for
 * now and then only: counted, they would shift all allocations after them, and
 * one that comes first in one run and second in the next would never fail.
 */
#define ABOVE_SLABS "4"

static _Noreturn void die(const char *what)
{
	printf("# fault injection: cannot %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* By default only allocations that cannot wait fail. */
void fault_setup(void)
{
	static const char *const settings[][2] = {
		{"failslab/ignore-gfp-wait", "N"},
		{"failslab/verbose", "0"},
		{"failslab/require-start", "0"},
		{"failslab/require-end", "0xffffffffffffffff"},
		{"fail_page_alloc/ignore-gfp-wait", "N"},
		{"fail_page_alloc/ignore-gfp-highmem", "N"},
		{"fail_page_alloc/min-order", ABOVE_SLABS},
		{"fail_page_alloc/verbose", "0"},
		{"fail_page_alloc/require-start", "0"},
		{"fail_page_alloc/require-end", "0xffffffffffffffff"},
	};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s",
			 settings[i][0]);
		file_write(path, settings[i][1]);
	}
}

void fault_teardown(void)
{
	file_write("/sys/kernel/debug/failslab/probability", "0");
	file_write("/sys/kernel/debug/fail_page_alloc/probability", "0");
}

int fault_open(pid_t tid)
{
	char path[64] = "/proc/thread-self/fail-nth";

	if (tid)
		snprintf(path, sizeof(path), "/proc/%d/fail-nth", tid);
	return open(path, O_RDWR | O_CLOEXEC);
}

void fault_set(int fd, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	if (pwrite(fd, text, len, 0) != len && errno != ESRCH)
		die("say which allocation is to fail");
}

int fault_left(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		return atoi(text);
	if (errno != ESRCH)
		die("read which allocation is to fail");
	return -1;
}

/* Where the module's code lies. */
static void find_code(unsigned long *first, unsigned long *last)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long address;
	char line[256], type;

	if (!f)
		die("open /proc/kallsyms");
	*first = ULONG_MAX;
	*last = 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[kfreeze]") ||
		    sscanf(line, "%lx %c", &address, &type) != 2 ||
		    (type != 't' && type != 'T'))
			continue;
		*first = address < *first ? address : *first;
		*last = address > *last ? address : *last;
	}
	fclose(f);
	if (*first >= *last)
		die("find the module's code");
}

void fault_starve(bool on)
{
	static const char *const kinds[] = {"failslab", "fail_page_alloc"};
	unsigned long first = 0, last = 0;
	char command[512];
	size_t i;

	if (on)
		find_code(&first, &last);
	if (file_write("/sys/kernel/debug/fail_page_alloc/min-order",
		       on ? "0" : ABOVE_SLABS))
		die("set the order of pages that fail");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(command, sizeof(command),
			 "cd /sys/kernel/debug/%s && echo 0 >probability && "
			 "echo 0x%lx >require-start && "
			 "echo 0x%lx >require-end && echo -1 >times && "
			 "echo 1 >interval && echo %d >probability",
			 kinds[i], first, last + 1, on ? 100 : 0);
		if (RUN("sh", "-c", command))
			die("make all allocations fail");
	}
}
