// SPDX-License-Identifier: GPL-2.0
/* A filesystem on a device that can be told to fail or to hang. */
#include "mapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "disk.h"

#define SECTORS "524288" /* of a disk of 256 MiB */
#define DEVICE "/dev/mapper/mapped"

static void must(int status, const char *what)
{
	if (status == 0)
		return;
	printf("# cannot %s: %d\n", what, status);
	exit(EXIT_FAILURE);
}

void mapped_setup(void)
{
	setenv("DM_DISABLE_UDEV", "1", 1);
}

void mapped_mount(const char *options)
{
	char table[96];

	snprintf(table, sizeof(table), "0 " SECTORS " linear %s 0",
		 disk_device(DISK_EXT4_4));
	must(RUN("dmsetup", "create", "mapped", "--table", table), "create");
	disk_mount_device(DEVICE, "ext4", options, MAPPED);
	/* else ext4's thread may read a bitmap of a device that fails by then */
	must(RUN("sh", "-c", "cat /proc/fs/ext4/dm-*/mb_groups >/dev/null"),
	     "read bitmaps");
	must(RUN("sync", "-f", MAPPED), "sync");
}

void mapped_hang(void)
{
	must(RUN("dmsetup", "suspend", "--nolockfs", "mapped"), "suspend");
}

void mapped_resume(void)
{
	must(RUN("dmsetup", "resume", "mapped"), "resume");
}

void mapped_fail(void)
{
	mapped_hang();
	must(RUN("dmsetup", "load", "mapped", "--table", "0 " SECTORS " error"),
	     "load");
	mapped_resume();
}

int mapped_suspend(void)
{
	return RUN("dmsetup", "suspend", "mapped");
}

/* What is stuck comes back, so that it can be unmounted. */
void mapped_teardown(void)
{
	RUN("sh", "-c", "dmsetup resume mapped 2>/dev/null");
	while (umount2(MAPPED, 0) == 0)
		;
	RUN("sh", "-c", "dmsetup remove --force --retry mapped 2>/dev/null");
}
