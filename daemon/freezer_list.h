/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lists in /run of what is being frozen: the memory that the processes of
 * a cycle share, as files on a tmpfs, for whoever comes after all of them have
 * been killed. Nothing is written to a disk.
 */
#ifndef KFREEZE_FREEZER_LIST_H
#define KFREEZE_FREEZER_LIST_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LIST_DIRECTORY "/run/kfreeze"
#define LIST_NAME_SIZE 40

/* Where lists are kept; made if need be. -EXDEV if it could be frozen itself,
 * as only a tmpfs cannot. Until this succeeds there are no lists. */
int list_init(const char *directory);

/* Zeroed memory to share with children. A list of *@name then, locked as long
 * as any process has *@lock_fd open; "" and -1 if there are none. Or NULL. */
void *list_create(size_t size, char name[LIST_NAME_SIZE], int *lock_fd);

void list_remove(const char *name);

/* A descriptor that holds the lock. @wait: until a signal, for the one who has
 * it; else -EWOULDBLOCK. */
int list_lock(const char *name, bool wait);

/* The memory of a list that is locked by @lock_fd; munmap() is due. */
void *list_map(int lock_fd, size_t *size);

/* The same of one that may be locked by others. */
void *list_peek(const char *name, size_t *size);

/* All lists; closedir() is due. NULL if there are none. */
DIR *list_open(void);
const char *list_next(DIR *dir);

/* When a process started, in ticks since boot: with the pid it is unique. 0 if
 * it is gone. */
uint64_t list_process_start(pid_t pid);

#endif
