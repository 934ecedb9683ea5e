// SPDX-License-Identifier: GPL-2.0
/*
 * cgroup v2 by its files. A process cannot leave its cgroup as it can leave its
 * process group, so what a hook has left behind is found there.
 */
#include "hook_group.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MOUNT "/sys/fs/cgroup"
#define PREFIX "hook-"
#define OUTCOME "KFREEZE_OUTCOME="
#define KILL_ROUNDS 100 /* for processes that fork meanwhile */

static int base = -1; /* the directory of our own cgroup */

static FILE *open_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !file)
		close(fd);
	return file;
}

/* In the v2 hierarchy, or -errno. */
static int open_own(void)
{
	char line[PATH_MAX], path[PATH_MAX + sizeof(MOUNT)] = "";
	FILE *file = open_file(AT_FDCWD, "/proc/self/cgroup");
	int fd;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			snprintf(path, sizeof(path), MOUNT "%s", line + 3);
	}
	fclose(file);
	if (!*path)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* systemd's mark for Delegate=yes, since 251 and before. */
static bool is_delegated(int fd)
{
	char value;

	return (fgetxattr(fd, "user.delegate", &value, 1) == 1 ||
		fgetxattr(fd, "trusted.delegate", &value, 1) == 1) &&
	       value == '1';
}

static void find_base(void)
{
	int fd = open_own();

	if (fd >= 0 && is_delegated(fd))
		base = fd;
	else if (fd >= 0)
		close(fd);
}

/* Each cgroup of a hook; closedir() is due. */
static DIR *open_base(void)
{
	int fd = base < 0 ? -1
			  : openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static const char *next_group(DIR *dir, const char *prefix)
{
	struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && strncmp(entry->d_name, prefix, strlen(prefix)));
	return entry ? entry->d_name : NULL;
}

void hook_group_prepare(void)
{
	const char *name;
	DIR *dir;

	if (base < 0)
		find_base();
	dir = open_base();
	while (dir && (name = next_group(dir, PREFIX)))
		unlinkat(base, name, AT_REMOVEDIR);
	if (dir)
		closedir(dir);
}

void hook_group_create(struct hook_group *group, const char *phase)
{
	static unsigned int number;

	*group = (struct hook_group){.cgroup = -1};
	snprintf(group->name, sizeof(group->name), PREFIX "%s-%d-%u", phase,
		 getpid(), number++);
	if (base < 0 || mkdirat(base, group->name, 0755))
		return;
	group->cgroup = openat(base, group->name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group->cgroup < 0)
		unlinkat(base, group->name, AT_REMOVEDIR);
}

static int write_file(int directory, const char *name, const char *text)
{
	int fd = openat(directory, name, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int hook_group_enter(const struct hook_group *group)
{
	setsid();
	if (group->cgroup < 0)
		return 0;
	return write_file(group->cgroup, "cgroup.procs", "0");
}

/* True if there was any. */
static bool signal_members(int cgroup, int signal)
{
	FILE *file = open_file(cgroup, "cgroup.procs");
	bool any = false;
	int pid;

	while (file && fscanf(file, "%d", &pid) == 1) {
		any = true;
		kill(pid, signal);
	}
	if (file)
		fclose(file);
	return any;
}

/* At once since Linux 5.14. */
static void kill_members(int cgroup)
{
	int rounds = KILL_ROUNDS;

	if (!write_file(cgroup, "cgroup.kill", "1"))
		return;
	while (rounds-- && signal_members(cgroup, SIGKILL))
		;
}

static void kill_left_groups(void)
{
	DIR *dir = open_base();
	const char *name;
	int fd;

	while (dir && (name = next_group(dir, PREFIX "freeze-"))) {
		fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		kill_members(fd);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

/* Of a freeze hook of the cycle: @id is in its environment, no outcome. */
static bool has_id(const char *pid, const char *id)
{
	char path[64], *variable = NULL;
	bool found = false, thaws = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.32s/environ", pid);
	file = open_file(AT_FDCWD, path);
	while (file && getdelim(&variable, &size, '\0', file) > 0) {
		found |= !strcmp(variable, id);
		thaws |= !strncmp(variable, OUTCOME, strlen(OUTCOME));
	}
	free(variable);
	if (file)
		fclose(file);
	return found && !thaws;
}

/* True if there was any. */
static bool kill_with_id(const char *id)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool any = false;
	int fd;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		/* before the look at it: the number may change its owner */
		fd = pidfd_open(atoi(entry->d_name), 0);
		if (fd >= 0 && has_id(entry->d_name, id))
			any |= !pidfd_send_signal(fd, SIGKILL, NULL, 0);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	return any;
}

void hook_group_kill_left(const char *id)
{
	int rounds = KILL_ROUNDS;

	kill_left_groups();
	while (id && rounds-- && kill_with_id(id))
		;
}

void hook_group_signal(const struct hook_group *group, int signal)
{
	if (group->cgroup >= 0 && signal == SIGKILL)
		kill_members(group->cgroup);
	else if (group->cgroup >= 0 && signal_members(group->cgroup, signal))
		return; /* a second one may end what cleans up for the first */
	if (group->leader <= 0)
		return;
	/* right after the fork there is no process group yet */
	if (kill(-group->leader, signal))
		kill(group->leader, signal);
}

static bool cgroup_is_empty(int cgroup)
{
	FILE *file = open_file(cgroup, "cgroup.events");
	char line[64];
	bool empty = !file;

	while (file && fgets(line, sizeof(line), file))
		empty |= !strcmp(line, "populated 0\n");
	if (file)
		fclose(file);
	return empty;
}

/* Alive, and in the process group: of /proc/PID/stat "PID (NAME) STATE PPID
 * PGRP", where NAME may contain anything. */
static bool is_member(const char *pid, pid_t leader)
{
	char path[64], text[512], *end;
	size_t len = 0;
	int group = 0;
	char run_state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.32s/stat", pid);
	file = open_file(AT_FDCWD, path);
	if (file) {
		len = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[len] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %c %*d %d", &run_state, &group) == 2 &&
	       group == leader && run_state != 'Z' && run_state != 'X';
}

static bool process_group_is_empty(pid_t leader)
{
	struct dirent *entry;
	bool empty = true;
	DIR *dir = opendir("/proc");

	while (dir && empty && (entry = readdir(dir))) {
		if (isdigit((unsigned char)*entry->d_name))
			empty = !is_member(entry->d_name, leader);
	}
	if (dir)
		closedir(dir);
	return empty;
}

bool hook_group_is_empty(const struct hook_group *group)
{
	return group->cgroup >= 0 ? cgroup_is_empty(group->cgroup)
				  : process_group_is_empty(group->leader);
}

void hook_group_remove(struct hook_group *group)
{
	if (group->cgroup < 0)
		return;
	close(group->cgroup);
	group->cgroup = -1;
	unlinkat(base, group->name, AT_REMOVEDIR);
}
