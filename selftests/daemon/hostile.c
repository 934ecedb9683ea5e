// SPDX-License-Identifier: GPL-2.0
/* See hostile.h. */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOBODY 65534

static _Noreturn void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Without udev nobody makes the device until the module is loaded, which
 * happens when it is opened. */
static int open_fuse(void)
{
	if (mknod("/dev/fuse", S_IFCHR | 0600, makedev(10, 229)) &&
	    errno != EEXIST)
		die("/dev/fuse: cannot make");
	return open("/dev/fuse", O_RDWR | O_CLOEXEC);
}

/* The descriptor is left open: with it the filesystem would end. */
void hostile_fuse(const char *dir)
{
	int fd = open_fuse();
	char options[64];

	if (fd < 0)
		die("/dev/fuse: cannot open");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("hostile", dir, "fuse.hostile", 0, options))
		die("fuse: cannot mount");
}

static _Noreturn void live_in_container(int ready)
{
	if (unshare(CLONE_NEWNS) || setgid(NOBODY) || setuid(NOBODY) ||
	    write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	for (;;)
		pause();
}

pid_t hostile_container(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		live_in_container(ends[1]);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		die("container");
	close(ends[0]);
	return pid;
}
