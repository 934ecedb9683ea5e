// SPDX-License-Identifier: GPL-2.0
/*
 * Undo what a test program left behind: its module session, frozen
 * filesystems, mounts. Called when all its processes have been killed.
 */
#include "reset.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MODULE "kfreeze"
#define UNLOAD_TRIES 50
#define UNLOAD_PAUSE_MS 100
#define PROBE_MS 5000
#define MOUNTS_MAX 64

/*
 * A module that stays busy has a session that outlived its owner. Draining
 * one ends when the last freeze_super() returns, which nobody announces.
 */
static int unload_module(void)
{
	int i;

	for (i = 0; i < UNLOAD_TRIES; i++) {
		if (syscall(SYS_delete_module, MODULE, O_NONBLOCK) == 0 ||
		    errno == ENOENT)
			return 0;
		poll(NULL, 0, UNLOAD_PAUSE_MS);
	}
	return -errno;
}

/* Mount points of block devices, the youngest first. */
static int block_mounts(char *dirs[MOUNTS_MAX])
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *m;
	int nr = 0;

	if (!f)
		return 0;
	while (nr < MOUNTS_MAX && (m = getmntent(f))) {
		if (strncmp(m->mnt_fsname, "/dev/", 5) != 0)
			continue;
		memmove(dirs + 1, dirs, nr * sizeof(*dirs));
		dirs[0] = strdup(m->mnt_dir);
		nr++;
	}
	endmntent(f);
	return nr;
}

/* A child tries to write: only that shows every kind of freeze. */
static int start_writer(const char *dir)
{
	pid_t child = fork();

	if (child == 0) {
		if (chdir(dir) == 0 &&
		    open(".reset", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0)
			unlink(".reset");
		_exit(0);
	}
	return syscall(SYS_pidfd_open, child, 0);
}

static bool ends(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, PROBE_MS) == 1;
}

static void thaw(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC);

	while (ioctl(fd, FITHAW, 0) == 0)
		;
	close(fd);
}

/* Return 0 if the filesystem was as it should be, that is, not frozen. */
static int thaw_if_frozen(const char *dir, const char *prefix)
{
	int pidfd = start_writer(dir);
	bool frozen = !ends(pidfd);

	if (frozen) {
		printf("%s# %s: was left frozen\n", prefix, dir);
		thaw(dir);
		if (!ends(pidfd))
			printf("%s# %s: cannot be thawed\n", prefix, dir);
	}
	close(pidfd);
	return frozen;
}

/* Return how many things were left that must not be. */
int reset_machine(const char *prefix)
{
	char *dirs[MOUNTS_MAX];
	int i, nr, left = 0;
	int err = unload_module();

	if (err) {
		printf("%s# %s: cannot unload: %s\n", prefix, MODULE,
		       strerror(-err));
		left++;
	}
	nr = block_mounts(dirs);
	for (i = 0; i < nr; i++)
		left += thaw_if_frozen(dirs[i], prefix);
	for (i = 0; i < nr; i++) {
		umount2(dirs[i], MNT_DETACH);
		free(dirs[i]);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return left;
}
