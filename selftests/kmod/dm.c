// SPDX-License-Identifier: GPL-2.0
/* Devices that can be told to fail or to hang. */
#include "dm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "disk.h"

static void must(int status, const char *what, const char *name)
{
	if (status == 0)
		return;
	printf("# %s: cannot %s: %d\n", name, what, status);
	exit(EXIT_FAILURE);
}

static long long sectors(const char *device)
{
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	must(size > 0 ? 0 : -1, "measure", device);
	close(fd);
	return size / 512;
}

static const char *linear(const char *device)
{
	static char table[64];

	snprintf(table, sizeof(table), "0 %lld linear %s 0", sectors(device),
		 device);
	return table;
}

/* Without the option a new table freezes the filesystem first. */
static int resume(const char *name)
{
	return RUN("dmsetup", "resume", "--nolockfs", name);
}

void dm_create(const char *name, const char *device)
{
	must(RUN("dmsetup", "create", name, "--table", linear(device)),
	     "create", name);
}

void dm_hang(const char *name)
{
	must(RUN("dmsetup", "suspend", "--nolockfs", name), "suspend", name);
}

void dm_resume(const char *name)
{
	must(resume(name), "resume", name);
}

void dm_fail(const char *name)
{
	char device[64], table[64];

	snprintf(device, sizeof(device), DM_DIR "%s", name);
	snprintf(table, sizeof(table), "0 %lld error", sectors(device));
	dm_hang(name);
	must(RUN("dmsetup", "load", name, "--table", table), "load", name);
	dm_resume(name);
}

int dm_load(const char *name, const char *device)
{
	return RUN("dmsetup", "load", name, "--table", linear(device));
}

int dm_mend(const char *name, const char *device)
{
	int err = dm_load(name, device);

	return err ? err : resume(name);
}

int dm_suspend(const char *name)
{
	return RUN("dmsetup", "suspend", name);
}

void dm_setup(void)
{
	setenv("DM_DISABLE_UDEV", "1", 1);
}

/* What is stuck comes back, so that it can be unmounted. */
void dm_remove(const char *name, const char *dir)
{
	char command[128];

	snprintf(command, sizeof(command), "dmsetup resume %s 2>/dev/null", name);
	RUN("sh", "-c", command);
	while (umount2(dir, 0) == 0)
		;
	snprintf(command, sizeof(command),
		 "dmsetup remove --force --retry %s 2>/dev/null", name);
	RUN("sh", "-c", command);
}
