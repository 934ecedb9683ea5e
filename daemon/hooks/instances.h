/* SPDX-License-Identifier: GPL-2.0 */
/* The servers that run on this machine, as /proc has them. */
#ifndef KFREEZE_HOOKS_INSTANCES_H
#define KFREEZE_HOOKS_INSTANCES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define INSTANCE_SOCKETS_MAX 4
#define INSTANCE_SOCKET_SIZE 108 /* of sun_path */

struct instance {
	pid_t pid;
	uid_t uid;
	bool trusted; /* root's, or of an account of the application */
	const char *process; /* one of the names looked for */
	char directory[PATH_MAX]; /* it works in: of all of ours, its data */
	/* paths it listens on */
	char sockets[INSTANCE_SOCKETS_MAX][INSTANCE_SOCKET_SIZE];
	size_t nr_sockets;
};

/* All processes with one of @names, and an executable of the application, whose
 * parent has none of them; without those of containers, and of users who could
 * make us talk to anything. Those that are trusted come first: no other one can
 * use up their time. The number of them, or -errno; @instances is to be freed. */
ssize_t instances_find(const char *const *names, struct instance **instances);

/* Whether @path leads to its user, or to root, who may listen for it. Somebody
 * else may be there: a server may have another view of the directories. */
bool instance_has_socket(const struct instance *instance, const char *path);

/* One of its child processes, or 0. */
pid_t instance_child(const struct instance *instance);

/* "NAME[PID] DIRECTORY: ..." on standard output. */
void instance_say(const struct instance *instance, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
