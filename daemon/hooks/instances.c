// SPDX-License-Identifier: GPL-2.0
/*
 * What a server was told by options and files shows in its process: the sockets
 * it listens on and the directory it works in. So neither has to be guessed.
 */
#include "instances.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "application.h"

#define COMM_SIZE 64
/* The user ids of services; those of people lie between. */
#define SYSTEM_UID_MAX 999
#define DYNAMIC_UID_MIN 61184
#define DYNAMIC_UID_MAX 65519
#define LISTENS 0x10000 /* __SO_ACCEPTCON of the kernel */

/* Its name and its parent. The name may hold anything but its end is the last
 * parenthesis. */
static int read_stat(pid_t pid, char *comm, pid_t *parent)
{
	char path[64], text[512], *begin, *end;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end || end - begin > COMM_SIZE ||
	    sscanf(end, ") %*c %d", parent) != 1)
		return -ESRCH;
	*end = '\0';
	strcpy(comm, begin + 1);
	return 0;
}

/* Which of the names it has, or NULL. */
static const char *name_of(const char *const *names, pid_t pid, pid_t *parent)
{
	char comm[COMM_SIZE];

	if (read_stat(pid, comm, parent))
		return NULL;
	while (*names && strcmp(comm, *names))
		names++;
	return *names;
}

static bool has_string(const char *const *strings, const char *string)
{
	while (*strings && strcmp(*strings, string))
		strings++;
	return *strings;
}

/* A process can call itself anything. An upgrade removes what it executes. */
static bool has_program(const char *const *names, pid_t pid)
{
	static const char deleted[] = " (deleted)";
	char path[64], program[PATH_MAX], *name;
	size_t suffix = strlen(deleted);
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, program, sizeof(program) - 1);
	program[len > 0 ? len : 0] = '\0';
	if (len > (ssize_t)suffix && !strcmp(program + len - suffix, deleted))
		program[len - suffix] = '\0';
	name = strrchr(program, '/');
	return name && has_string(names, name + 1);
}

static bool is_contained(pid_t pid)
{
	char path[64], theirs[64] = "", ours[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return readlink(path, theirs, sizeof(theirs) - 1) > 0 &&
	       readlink("/proc/self/ns/pid", ours, sizeof(ours) - 1) > 0 &&
	       strcmp(theirs, ours);
}

static bool has_socket(pid_t pid, unsigned long inode)
{
	char path[64], wanted[64], link[64];
	struct dirent *entry;
	bool found = false;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, link,
				 sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		found = !strcmp(link, wanted);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void find_sockets(struct instance *instance)
{
	char path[64], line[512], name[INSTANCE_SOCKET_SIZE];
	unsigned long flags, inode;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/net/unix", instance->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (instance->nr_sockets < INSTANCE_SOCKETS_MAX &&
	       fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %lx %*s %*s %lu %107[^\n]",
			   &flags, &inode, name) == 3 &&
		    flags & LISTENS && *name == '/' &&
		    has_socket(instance->pid, inode))
			strcpy(instance->sockets[instance->nr_sockets++], name);
	}
	fclose(file);
}

static bool is_service(uid_t uid)
{
	return uid <= SYSTEM_UID_MAX ||
	       (uid >= DYNAMIC_UID_MIN && uid <= DYNAMIC_UID_MAX);
}

static bool is_trusted(uid_t uid)
{
	const char *const *account = application.accounts;
	const struct passwd *user;

	if (uid == 0)
		return true;
	for (; account && *account; account++) {
		user = getpwnam(*account);
		if (user && user->pw_uid == uid)
			return true;
	}
	return false;
}

static int look_at(struct instance *instance, pid_t pid, const char *process)
{
	char path[64];
	struct stat st;
	ssize_t len;

	*instance = (struct instance){.pid = pid, .process = process};
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	len = readlink(path, instance->directory,
		       sizeof(instance->directory) - 1);
	if (len < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st))
		return -errno;
	if (!is_service(st.st_uid))
		return -EPERM;
	instance->uid = st.st_uid;
	instance->trusted = is_trusted(st.st_uid);
	find_sockets(instance);
	return 0;
}

static const char *wanted(const char *const *names, pid_t pid)
{
	pid_t parent, unused;
	const char *name = name_of(names, pid, &parent);

	if (!name || name_of(names, parent, &unused) || is_contained(pid) ||
	    !has_program(application.programs ?: names, pid))
		return NULL;
	return name;
}

static int compare_trust(const void *left, const void *right)
{
	const struct instance *a = left, *b = right;

	if (a->trusted != b->trusted)
		return b->trusted - a->trusted;
	return a->pid - b->pid;
}

ssize_t instances_find(const char *const *names, struct instance **instances)
{
	DIR *dir = opendir("/proc");
	struct instance *list = NULL, *larger;
	struct dirent *entry;
	ssize_t nr = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t pid = isdigit(*entry->d_name) ? atoi(entry->d_name) : 0;
		const char *name = pid ? wanted(names, pid) : NULL;

		if (!name)
			continue;
		larger = reallocarray(list, nr + 1, sizeof(*list));
		if (!larger) {
			nr = -ENOMEM;
			break;
		}
		list = larger;
		if (!look_at(&list[nr], pid, name))
			nr++;
	}
	closedir(dir);
	if (nr > 0)
		qsort(list, nr, sizeof(*list), compare_trust);
	*instances = list;
	return nr;
}

/* Never waits: one that takes no connection is of no use. */
bool instance_has_socket(const struct instance *instance, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct ucred peer = {.uid = -1};
	socklen_t size = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		peer.uid = -1;
	close(fd);
	return peer.uid != (uid_t)-1 &&
	       (peer.uid == 0 || peer.uid == instance->uid);
}

pid_t instance_child(const struct instance *instance)
{
	char comm[COMM_SIZE];
	struct dirent *entry;
	pid_t child = 0, parent;
	DIR *dir = opendir("/proc");

	while (dir && !child && (entry = readdir(dir))) {
		if (isdigit(*entry->d_name) &&
		    !read_stat(atoi(entry->d_name), comm, &parent) &&
		    parent == instance->pid)
			child = atoi(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return child;
}

void instance_say(const struct instance *instance, const char *format, ...)
{
	va_list args;

	printf("%s[%d] %s: ", application.name, instance->pid,
	       instance->directory);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}
