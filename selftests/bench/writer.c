// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a block to a file of its own every 20 ms, with "fsync" as its first
 * argument also syncs it. Every write that took long goes to LOG on tmpfs, as
 * "START END" in nanoseconds of CLOCK_MONOTONIC.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_SIZE 4096
#define BLOCKS 256 /* then it starts anew */
#define LONG_NS 10000000ULL

static const struct timespec pace = {.tv_nsec = 20000000};

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	if (fd < 0)
		fatal(path);
	return fd;
}

static void tell(int log, uint64_t start, uint64_t end)
{
	char line[64];
	int len;

	len = snprintf(line, sizeof(line), "%llu %llu\n",
		       (unsigned long long)start, (unsigned long long)end);
	if (write(log, line, len) != len)
		fatal("log");
}

int main(int argc, char **argv)
{
	static const char block[BLOCK_SIZE];
	bool sync = argc > 1 && !strcmp(argv[1], "fsync");
	uint64_t start, end, nr;
	int file, log;

	if (argc != 4 || (!sync && strcmp(argv[1], "write"))) {
		fprintf(stderr, "usage: writer write|fsync FILE LOG\n");
		return 2;
	}
	file = open_file(argv[2], 0);
	log = open_file(argv[3], O_APPEND);
	for (nr = 0;; nr++) {
		start = now_ns();
		if (pwrite(file, block, BLOCK_SIZE, nr % BLOCKS * BLOCK_SIZE) !=
		    BLOCK_SIZE)
			fatal(argv[2]);
		if (sync && fsync(file))
			fatal(argv[2]);
		end = now_ns();
		if (end - start >= LONG_NS)
			tell(log, start, end);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pace, NULL);
	}
}
