// SPDX-License-Identifier: GPL-2.0
/*
 * Writes record n to the first file, syncs it, then record n to the second,
 * ..., then n + 1. What is on stable storage, and every write that took long,
 * is told in two files on tmpfs: PREFIX.progress and PREFIX.stalls.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define RECORD_SIZE 32 /* divides a block: a record is never torn */
#define STALL_NS 100000000ULL
#define MAX_FILES 16

struct writer {
	int nr_files;
	char **paths;
	int files[MAX_FILES];
	int progress;
	int stalls;
};

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

/* The clock of /proc/uptime, so that a shell can tell the time too. */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int open_suffixed(const char *prefix, const char *suffix, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s%s", prefix, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		fatal(path);
	return fd;
}

static void write_record(struct writer *w, int i, uint64_t nr)
{
	char record[RECORD_SIZE + 1];
	off_t where = (nr - 1) * RECORD_SIZE;

	snprintf(record, sizeof(record), "%0*llu\n", RECORD_SIZE - 1,
		 (unsigned long long)nr);
	if (pwrite(w->files[i], record, RECORD_SIZE, where) != RECORD_SIZE)
		fatal(w->paths[i]);
	if (fsync(w->files[i]))
		fatal(w->paths[i]);
}

static void tell(struct writer *w, int i, uint64_t nr, uint64_t start)
{
	uint64_t end = now_ns();
	char line[300];
	int len;

	len = snprintf(line, sizeof(line), "%20llu %2d\n",
		       (unsigned long long)nr, i);
	if (pwrite(w->progress, line, len, 0) != len)
		fatal("progress");
	if (end - start < STALL_NS)
		return;
	len = snprintf(line, sizeof(line), "%llu %llu %s\n",
		       (unsigned long long)start, (unsigned long long)end,
		       w->paths[i]);
	if (write(w->stalls, line, len) != len)
		fatal("stalls");
}

int main(int argc, char **argv)
{
	struct writer w = {.nr_files = argc - 2, .paths = argv + 2};
	uint64_t nr, start;
	int i;

	if (argc < 3 || w.nr_files > MAX_FILES) {
		fprintf(stderr, "usage: writer PREFIX FILE...\n");
		return 2;
	}
	w.progress = open_suffixed(argv[1], ".progress", 0);
	w.stalls = open_suffixed(argv[1], ".stalls", O_APPEND);
	for (i = 0; i < w.nr_files; i++)
		w.files[i] = open_suffixed(w.paths[i], "", 0);
	for (nr = 1;; nr++) {
		for (i = 0; i < w.nr_files; i++) {
			start = now_ns();
			write_record(&w, i, nr);
			tell(&w, i, nr, start);
		}
	}
}
