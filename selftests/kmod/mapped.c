// SPDX-License-Identifier: GPL-2.0
/* ext4 on a device that can be told to fail or to hang. */
#include "mapped.h"

#include <stdio.h>
#include <stdlib.h>

#include "disk.h"
#include "dm.h"

#define NAME "mapped"

static void must(int status, const char *what)
{
	if (status == 0)
		return;
	printf("# cannot %s: %d\n", what, status);
	exit(EXIT_FAILURE);
}

void mapped_setup(void)
{
	dm_setup();
}

void mapped_mount(const char *options)
{
	dm_create(NAME, disk_device(DISK_EXT4_4));
	disk_mount_device(DM_DIR NAME, "ext4", options, MAPPED);
	/* else ext4's thread may read a bitmap of a device that fails by then */
	must(RUN("sh", "-c", "cat /proc/fs/ext4/dm-*/mb_groups >/dev/null"),
	     "read bitmaps");
	must(RUN("sync", "-f", MAPPED), "sync");
}

void mapped_hang(void)
{
	dm_hang(NAME);
}

void mapped_resume(void)
{
	dm_resume(NAME);
}

void mapped_fail(void)
{
	dm_fail(NAME);
}

int mapped_suspend(void)
{
	return dm_suspend(NAME);
}

void mapped_teardown(void)
{
	dm_remove(NAME, MAPPED);
}
