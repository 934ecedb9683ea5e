// SPDX-License-Identifier: GPL-2.0
/* Processes that write to filesystems all the time, and notice a freeze. */
#include "watch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAUSE_MS 50 /* leaves the processors to those who are watched */

struct watched {
	const char *dir;
	pid_t pid;
	_Atomic long long since; /* the start of the write that is under way */
	_Atomic long long longest; /* of the writes before, ms */
};

/* Shared with the processes. */
struct watch {
	int nr;
	struct watched watched[WATCH_MAX];
};

static _Noreturn void write_for_ever(struct watched *watched)
{
	long long took;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/watch", watched->dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	while (fd >= 0) {
		watched->since = clock_ms();
		if (pwrite(fd, "x", 1, 0) != 1)
			break;
		took = clock_ms() - watched->since;
		if (took > watched->longest)
			watched->longest = took;
		poll(NULL, 0, PAUSE_MS);
	}
	watched->since = 0; /* never again */
	_exit(EXIT_FAILURE);
}

static void start(struct watched *watched)
{
	pid_t pid;

	watched->since = clock_ms();
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_for_ever(watched);
	}
	if (pid < 0) {
		printf("# fork failed\n");
		exit(EXIT_FAILURE);
	}
	watched->pid = pid;
}

struct watch *watch_start(const enum disk disks[], int nr)
{
	struct watch *watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (watch == MAP_FAILED) {
		printf("# mmap failed\n");
		exit(EXIT_FAILURE);
	}
	for (watch->nr = 0; watch->nr < nr; watch->nr++) {
		watch->watched[watch->nr].dir = disk_mount(disks[watch->nr]);
		start(&watch->watched[watch->nr]);
	}
	return watch;
}

const char *watch_frozen(const struct watch *watch, int ms)
{
	int i;

	for (i = 0; i < watch->nr; i++)
		if (clock_ms() - watch->watched[i].since > ms)
			return watch->watched[i].dir;
	return NULL;
}

long long watch_longest(const struct watch *watch)
{
	long long longest = 0;
	int i;

	for (i = 0; i < watch->nr; i++)
		if (watch->watched[i].longest > longest)
			longest = watch->watched[i].longest;
	return longest;
}

void watch_stop(const struct watch *watch)
{
	int i;

	for (i = 0; i < watch->nr; i++) {
		kill(watch->watched[i].pid, SIGKILL);
		waitpid(watch->watched[i].pid, NULL, 0);
	}
}
