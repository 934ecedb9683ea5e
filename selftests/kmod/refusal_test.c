// SPDX-License-Identifier: GPL-2.0
/* A filesystem that refuses to thaw is asked again until it does. */
#include "cycle.h"
#include "dm.h"
#include "workers.h"

#include <sched.h>
#include <stdio.h>

#include "ktap.h"

/* JFS on a device that fails: first it refuses with EINVAL, then with EIO. */
static const struct refusing {
	const char *name;
	enum disk disk;
} jfs = {"jfs", DISK_JFS}, jfs_2 = {"jfs_2", DISK_JFS_2};

/* Else it makes itself read-only, is thawed therefore, and umount crashes. */
#define OPTIONS "errors=continue"

static const char *mount_refusing(const struct refusing *fs)
{
	const char *unfit = disk_unfit(fs->disk);
	char path[64];

	if (unfit)
		SKIP(unfit);
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
	workers_setup();
	dm_setup();
}

void ktap_teardown(void)
{
	workers_teardown();
	remove_refusing(&jfs);
	remove_refusing(&jfs_2);
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

/* Both targets of the client's session have. */
static void await_refusals(struct client *client)
{
	long long until = clock_ms() + 10000;
	struct client_result messages[3];

	do {
		CHECK(clock_ms() < until);
		sched_yield();
		CHECK_EQ(client_status(client, messages, 3), 3);
	} while (!messages[1].target.error || !messages[2].target.error);
}

/* Waits for a line, then becomes `dmsetup COMMAND --nolockfs`: does not fork. */
static FILE *prepare(const char *command, const struct refusing *fs)
{
	char line[96];
	FILE *shell;

	snprintf(line, sizeof(line), "read go && exec dmsetup %s --nolockfs %s",
		 command, fs->name);
	shell = popen(line, "w");
	CHECK(shell);
	return shell;
}

static void go(FILE *shell)
{
	CHECK(fputs("go\n", shell) >= 0);
	CHECK_EQ(pclose(shell), 0);
}

/* Two that refused are asked again at the same time, by the rescuer alone. */
TEST_TIMEOUT(stuck_retry_keeps_no_other, 60)
{
	struct client *client = client_open();
	const char *hanging = mount_refusing(&jfs);
	const char *mended = mount_refusing(&jfs_2);
	const char *dirs[2] = {hanging, mended};
	FILE *hang = prepare("suspend", &jfs);
	FILE *mend = prepare("resume", &jfs_2);
	struct writer writer;

	cycle_freeze(client, dirs, 2, 20000);
	writer = writer_start(mended);
	CHECK(writer_blocks(&writer));
	dm_fail(jfs.name);
	dm_fail(jfs_2.name);
	CHECK_EQ(dm_load(jfs_2.name, disk_device(jfs_2.disk)), 0);
	CHECK_EQ(workers_starve(), 0);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	await_refusals(client);
	go(hang);
	go(mend);
	CHECK(workers_rescuer_gets_stuck());
	CHECK_EQ(workers_feed(), 0);
	CHECK(writer_ends(&writer, 10000));
	CHECK(workers_rescuer_is_stuck());

	CHECK_EQ(dm_mend(jfs.name, disk_device(jfs.disk)), 0);
	CHECK(disk_writable(hanging));
}
