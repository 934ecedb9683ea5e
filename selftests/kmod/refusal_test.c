// SPDX-License-Identifier: GPL-2.0
/* A filesystem that refuses to thaw is asked again until it does. */
#include "cycle.h"
#include "dm.h"

#include <stdio.h>

#include "ktap.h"

/* JFS on a device that fails: first it refuses with EINVAL, then with EIO. */
static const struct refusing {
	const char *name;
	enum disk disk;
} jfs = {"jfs", DISK_JFS};

/* Else it makes itself read-only, is thawed therefore, and umount crashes. */
#define OPTIONS "errors=continue"

static const char *mount_refusing(const struct refusing *fs)
{
	char path[64];

	if (RUN("sh", "-c", "modprobe -q jfs; grep -qw jfs /proc/filesystems"))
		SKIP("this kernel has no JFS");
	dm_create(fs->name, disk_device(fs->disk));
	snprintf(path, sizeof(path), DM_DIR "%s", fs->name);
	disk_mount_device(path, "jfs", OPTIONS, disk_dir(fs->disk));
	CHECK_EQ(RUN("sync", "-f", disk_dir(fs->disk)), 0);
	return disk_dir(fs->disk);
}

/* A test that failed may have left it refusing. */
static void remove_refusing(const struct refusing *fs)
{
	if (access(disk_dir(fs->disk), F_OK))
		return;
	dm_mend(fs->name, disk_device(fs->disk));
	dm_remove(fs->name, disk_dir(fs->disk));
}

void ktap_setup(void)
{
	dm_setup();
}

void ktap_teardown(void)
{
	remove_refusing(&jfs);
	disk_umount_all();
}

TEST_TIMEOUT(refused_thaw_is_tried_again, 60)
{
	struct client *client = client_open(), *listener = client_new();
	const char *refusing = mount_refusing(&jfs);
	const char *dirs[2] = {refusing, disk_mount(DISK_EXT4)};
	struct client_result result, messages[3];
	struct writer writer, other;

	CHECK_EQ(client_listen(listener), 0);
	cycle_freeze(client, dirs, 2, 20000);
	CHECK_EQ(cycle_result(listener).event, KFREEZE_EVENT_FROZEN);
	writer = writer_start(dirs[0]);
	other = writer_start(dirs[1]);
	CHECK(writer_blocks(&writer));
	CHECK(writer_blocks(&other));
	dm_fail(jfs.name);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	CHECK(writer_ends(&other, 10000));

	/* it is given up, and neither lost nor to be had */
	result = cycle_result(client);
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK_EQ(result.target.index, 0);
	CHECK_EQ(result.target.state, KFREEZE_TARGET_STUCK);
	CHECK_EQ(result.target.step, KFREEZE_STEP_THAW);
	CHECK_EQ(result.target.error, -EINVAL);
	CHECK_EQ(cycle_result(listener).event, KFREEZE_EVENT_OVER);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_request(client_open(), dirs, 1, 20000), -EBUSY);

	CHECK_EQ(dm_mend(jfs.name, disk_device(jfs.disk)), 0);
	CHECK(writer_ends(&writer, 10000));
	result = cycle_result(listener);
	CHECK_EQ(result.event, KFREEZE_EVENT_UNSTUCK);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK_EQ(client_status(client, messages, 3), 3);
	CHECK_EQ(messages[1].target.state, KFREEZE_TARGET_THAWED);
	/* it may be had, but remembers that it could not write */
	CHECK_EQ(cycle_request(client, dirs, 1, 20000), 0);
	cycle_result(client);
}
