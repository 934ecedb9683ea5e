// SPDX-License-Identifier: GPL-2.0
/*
 * A list is locked before it has a name: one without a lock belongs to nobody
 * who is alive.
 */
#include "freezer_list.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "freeze-"

static int directory_fd = -1;

int list_init(const char *directory)
{
	struct statfs fs;
	int fd;

	if (mkdir(directory, 0755) && errno != EEXIST)
		return -errno;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC) {
		close(fd);
		return -EXDEV;
	}
	if (directory_fd >= 0)
		close(directory_fd);
	directory_fd = fd;
	return 0;
}

/* Nobody sees it before it is locked and has all its memory: a page that could
 * not be had later would be a SIGBUS. */
static int create_file(size_t size, char name[LIST_NAME_SIZE])
{
	struct timespec now;
	char path[32];
	int fd;

	fd = openat(directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(name, LIST_NAME_SIZE, PREFIX "%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!flock(fd, LOCK_EX | LOCK_NB) && !posix_fallocate(fd, 0, size) &&
	    !linkat(AT_FDCWD, path, directory_fd, name, AT_SYMLINK_FOLLOW))
		return fd;
	close(fd);
	return -EIO;
}

/* Through another open file: a mapping would hold the lock of its own one, also
 * that of a thread which is stuck in the kernel. */
static void *map_file(int lock_fd, size_t size)
{
	void *memory = MAP_FAILED;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", lock_fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

static void *map_anonymous(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void *list_create(size_t size, char name[LIST_NAME_SIZE], int *lock_fd)
{
	void *memory;

	*lock_fd = directory_fd < 0 ? -1 : create_file(size, name);
	if (*lock_fd < 0) {
		*lock_fd = -1;
		*name = '\0';
		return map_anonymous(size);
	}
	memory = map_file(*lock_fd, size);
	if (!memory) {
		list_remove(name);
		close(*lock_fd);
	}
	return memory;
}

void list_remove(const char *name)
{
	if (*name)
		unlinkat(directory_fd, name, 0);
}

int list_lock(const char *name, bool wait)
{
	int fd = openat(directory_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	if (!flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void *list_map(int lock_fd, size_t *size)
{
	struct stat st;

	if (fstat(lock_fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
		return NULL;
	*size = st.st_size;
	return map_file(lock_fd, *size);
}

void *list_peek(const char *name, size_t *size)
{
	int fd = openat(directory_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	void *memory;

	if (fd < 0)
		return NULL;
	memory = list_map(fd, size);
	close(fd);
	return memory;
}

DIR *list_open(void)
{
	int fd;

	if (directory_fd < 0)
		return NULL;
	fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

const char *list_next(DIR *dir)
{
	struct dirent *entry;

	do {
		entry = readdir(dir);
	} while (entry && strncmp(entry->d_name, PREFIX, strlen(PREFIX)));
	return entry ? entry->d_name : NULL;
}

uint64_t list_process_start(pid_t pid)
{
	char path[32], text[512], *end;
	uint64_t start = 0;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	end = strrchr(text, ')'); /* of a name that may hold anything */
	if (!end || sscanf(end + 1,
			   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u"
			   " %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
			   &start) != 1)
		return 0;
	return start;
}
