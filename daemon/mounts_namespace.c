// SPDX-License-Identifier: GPL-2.0
/*
 * One readlink() per process tells its mount namespace; only a new one costs
 * more. What belongs to a process is read through a descriptor of its
 * directory: a recycled pid is another directory.
 */
#include "mounts_namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mounts_table.h"

#define NAMESPACES_MAX 4096 /* of a machine full of containers */
#define LINK_SIZE 32 /* "mnt:[4026531841]" */

struct scan {
	const char *proc;
	int proc_fd;
	char (*seen)[LINK_SIZE];
	size_t nr_seen;
	mounts_namespace_fn found;
	void *data;
};

static int read_link(int dir, const char *path, char link[LINK_SIZE])
{
	ssize_t len = readlinkat(dir, path, link, LINK_SIZE - 1);

	if (len < 0)
		return -errno;
	link[len] = '\0';
	return 0;
}

static bool is_seen(const struct scan *scan, const char *link)
{
	size_t i;

	/* the newest first: neighbours in /proc tend to be relatives */
	for (i = scan->nr_seen; i; i--) {
		if (!strcmp(scan->seen[i - 1], link))
			return true;
	}
	return false;
}

static int parse_table(struct libmnt_table *table, int process, const char *name)
{
	int fd = openat(process, "mountinfo", O_RDONLY | O_CLOEXEC), err;
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");

	if (!stream) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = mnt_table_parse_stream(table, stream, name);
	fclose(stream);
	return err > 0 ? -EINVAL : err;
}

static int read_namespace(const struct scan *scan, int process, const char *pid,
			  struct mounts_namespace *namespace)
{
	char name[PATH_MAX];

	namespace->table = mnt_new_table();
	if (!namespace->table)
		return -ENOMEM;
	snprintf(namespace->root, sizeof(namespace->root), "/proc/%s/root", pid);
	namespace->root_fd = openat(process, "root",
				    O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%s/%s/mountinfo", scan->proc, pid);
	return parse_table(namespace->table, process, name);
}

/* A process that ends meanwhile is no error: the next one of its namespace is
 * as good, and if there is none the namespace is gone too. */
static int take_process(struct scan *scan, int process, const char *pid,
			const char *link)
{
	struct mounts_namespace namespace = {.root_fd = -1};
	char again[LINK_SIZE];
	int err;

	err = read_link(process, "ns/mnt", again);
	if (err || strcmp(link, again))
		return 0;
	err = read_namespace(scan, process, pid, &namespace);
	if (err) {
		mounts_namespace_free(&namespace);
		return err == -ENOMEM ? err : 0;
	}
	strcpy(scan->seen[scan->nr_seen++], link);
	return scan->found(scan->data, &namespace);
}

static int visit_process(struct scan *scan, const char *pid, unsigned int *hidden)
{
	char path[NAME_MAX + sizeof("/ns/mnt")], link[LINK_SIZE];
	int process, err;

	snprintf(path, sizeof(path), "%s/ns/mnt", pid);
	err = read_link(scan->proc_fd, path, link);
	if (err) {
		*hidden += err == -EACCES || err == -EPERM;
		return 0;
	}
	if (is_seen(scan, link) || scan->nr_seen == NAMESPACES_MAX)
		return 0;
	process = openat(scan->proc_fd, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return 0;
	err = take_process(scan, process, pid, link);
	close(process);
	return err;
}

static int visit_all(struct scan *scan, DIR *dir, unsigned int *hidden)
{
	struct dirent *entry;
	int err = 0;

	scan->proc_fd = dirfd(dir);
	if (read_link(scan->proc_fd, "self/ns/mnt", scan->seen[0]))
		return 0; /* a kernel without namespaces */
	scan->nr_seen = 1;
	while (!err && (entry = readdir(dir))) {
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name))
			err = visit_process(scan, entry->d_name, hidden);
	}
	return err;
}

int mounts_namespace_scan(const char *proc, mounts_namespace_fn found,
			  void *data, unsigned int *hidden)
{
	struct scan scan = {.proc = proc, .found = found, .data = data};
	DIR *dir = opendir(proc);
	int err;

	*hidden = 0;
	if (!dir)
		return -errno;
	scan.seen = malloc(NAMESPACES_MAX * sizeof(*scan.seen));
	err = scan.seen ? visit_all(&scan, dir, hidden) : -ENOMEM;
	free(scan.seen);
	closedir(dir);
	return err;
}

void mounts_namespace_free(struct mounts_namespace *namespace)
{
	mounts_table_free(namespace->table);
	if (namespace->root_fd >= 0)
		close(namespace->root_fd);
}
