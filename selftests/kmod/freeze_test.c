// SPDX-License-Identifier: GPL-2.0
/* Frozen means: writers block, readers do not, and both end after the thaw. */
#include "cycle.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ktap.h"

#define NR_EVERYWHERE DISK_JFS /* disks that every kernel can mount */

void ktap_teardown(void)
{
	umount2("/tmp/innermost", 0);
	umount2("/tmp/inner", 0);
	disk_umount_all();
}

static void check_one(enum disk disk)
{
	struct client *client = client_open();
	const char *unfit = disk_unfit(disk);
	struct client_result result;
	struct writer writer;
	const char *dir;

	if (unfit)
		SKIP(unfit);
	dir = disk_mount(disk);
	cycle_freeze(client, &dir, 1, 20000);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK(disk_readable(dir));
	CHECK(!writer_ends(&writer, 0));
	result = cycle_thaw(client);
	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_THAW);
	CHECK_EQ(result.error, 0);
	CHECK_EQ(result.nr_frozen, 1);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK(result.hold_ns > 0);
	CHECK(!result.target.present);
	CHECK(writer_ends(&writer, 10000));
}

TEST(ext4_blocks_writers_until_thaw)
{
	check_one(DISK_EXT4);
}

TEST(xfs_blocks_writers_until_thaw)
{
	check_one(DISK_XFS);
}

TEST(btrfs_blocks_writers_until_thaw)
{
	check_one(DISK_BTRFS);
}

TEST(vfat_blocks_writers_until_thaw)
{
	check_one(DISK_VFAT);
}

TEST(jfs_blocks_writers_until_thaw)
{
	check_one(DISK_JFS);
}

TEST(exfat_blocks_writers_until_thaw)
{
	check_one(DISK_EXFAT);
}

TEST(udf_blocks_writers_until_thaw)
{
	check_one(DISK_UDF);
}

TEST(ext2_blocks_writers_until_thaw)
{
	check_one(DISK_EXT2);
}

TEST(f2fs_blocks_writers_until_thaw)
{
	check_one(DISK_F2FS);
}

TEST(nilfs2_blocks_writers_until_thaw)
{
	check_one(DISK_NILFS2);
}

/* It has ways of its own to freeze and thaw, for a cluster. */
TEST(gfs2_blocks_writers_until_thaw)
{
	check_one(DISK_GFS2);
}

static void check_read_only(enum disk disk)
{
	struct client *client = client_open();
	const char *unfit = disk_unfit(disk);
	struct client_result result;
	const char *dir;

	if (unfit)
		SKIP(unfit);
	dir = disk_mount(disk);
	cycle_freeze(client, &dir, 1, 20000);
	CHECK(disk_readable(dir));
	result = cycle_thaw(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_frozen, 1);
	CHECK_EQ(result.error, 0);
	CHECK(disk_readable(dir));
}

TEST(squashfs_freezes_and_reads_pass)
{
	check_read_only(DISK_SQUASHFS);
}

TEST(iso9660_freezes_and_reads_pass)
{
	check_read_only(DISK_ISO9660);
}

TEST(all_disks_freeze_as_one)
{
	struct client *client = client_open();
	struct writer writers[NR_EVERYWHERE];
	const char *dirs[NR_EVERYWHERE];
	int i;

	for (i = 0; i < NR_EVERYWHERE; i++) {
		dirs[i] = disk_mount(i);
		disk_dirty(dirs[i], "dirty", 4 << 20);
	}
	cycle_freeze(client, dirs, NR_EVERYWHERE, 20000);
	for (i = 0; i < NR_EVERYWHERE; i++)
		writers[i] = writer_start(dirs[i]);
	for (i = 0; i < NR_EVERYWHERE; i++)
		CHECK(writer_blocks(&writers[i]));
	CHECK_EQ(cycle_thaw(client).nr_frozen, NR_EVERYWHERE);
	for (i = 0; i < NR_EVERYWHERE; i++)
		CHECK(writer_ends(&writers[i], 10000));
}

TEST(cycles_follow_each_other)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	uint32_t last = 0;
	int i;

	for (i = 0; i < 5; i++) {
		CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
		CHECK(client->number > last);
		last = client->number;
		CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
		CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
		CHECK(disk_writable(dir));
	}
}

TEST(read_only_mount_freezes)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);

	CHECK_EQ(RUN("mount", "-o", "remount,ro", dir), 0);
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST(status_tells_of_every_target)
{
	static const enum disk disk[] = {DISK_XFS, DISK_BTRFS, DISK_VFAT};
	struct client *client = client_open();
	struct client_result messages[8];
	struct client_target *target;
	const char *dirs[3];
	struct stat st;
	int i;

	for (i = 0; i < 3; i++)
		dirs[i] = disk_mount(disk[i]);
	cycle_freeze(client, dirs, 3, 20000);
	CHECK_EQ(client_status(client, messages, 8), 4);
	CHECK_EQ(messages[0].state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(messages[0].nr_targets, 3);
	CHECK(messages[0].remaining_ms > 0);
	CHECK(messages[0].remaining_ms <= 20000);
	for (i = 0; i < 3; i++) {
		target = &messages[i + 1].target;
		CHECK(target->present);
		CHECK_EQ(target->index, i);
		CHECK_EQ(target->state, KFREEZE_TARGET_FROZEN);
		CHECK_STREQ(target->fstype, disk_fstype(disk[i]));
		CHECK_EQ(target->thaw_ns, 0);
		if (disk[i] == DISK_BTRFS)
			continue; /* its st_dev is a subvolume's */
		CHECK_EQ(stat(dirs[i], &st), 0);
		CHECK_EQ(makedev(target->major, target->minor), st.st_dev);
	}
	cycle_thaw(client);
	CHECK_EQ(client_status(client, messages, 8), 4);
	CHECK_EQ(messages[0].state, KFREEZE_STATE_IDLE);
	CHECK_EQ(messages[0].verdict, KFREEZE_VERDICT_OK);
	for (i = 1; i <= 3; i++) {
		CHECK_EQ(messages[i].target.state, KFREEZE_TARGET_THAWED);
		CHECK(messages[i].target.hold_ns > 0);
		CHECK(messages[i].target.hold_ns >= messages[i].target.freeze_ns);
	}
}

/* But for sessions before @since: a test may be over before they are closed. */
static int status_since(struct client *client, uint32_t since,
			struct client_result *messages, int max)
{
	int nr = client_status(client, messages, max);
	int at = 0;

	CHECK(nr >= 0);
	while (at < nr && messages[at].session < since)
		at++;
	memmove(messages, messages + at, (nr - at) * sizeof(*messages));
	return nr - at;
}

/* Of whatever there is to tell of the session before it. */
TEST(status_tells_of_every_session)
{
	struct client *idle = client_open(), *one = client_open();
	struct client *two = client_open(), *admin = client_new();
	struct client_result messages[16];
	const char *dirs[3] = {
		disk_mount(DISK_EXT4),
		disk_mount(DISK_XFS),
		disk_mount(DISK_VFAT),
	};

	cycle_freeze(one, dirs, 1, 20000);
	cycle_freeze(two, dirs + 1, 2, 20000);
	CHECK_EQ(status_since(admin, idle->session, messages, 16), 6);
	CHECK_EQ(messages[0].session, idle->session);
	CHECK_EQ(messages[0].state, KFREEZE_STATE_IDLE);
	CHECK_EQ(messages[1].session, one->session);
	CHECK_EQ(messages[1].state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(messages[2].session, one->session);
	CHECK(messages[2].target.present);
	CHECK_EQ(messages[3].session, two->session);
	CHECK_EQ(messages[3].state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(messages[4].target.index, 0);
	CHECK_EQ(messages[5].target.index, 1);
	CHECK_EQ(cycle_thaw(two).verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(cycle_thaw(one).verdict, KFREEZE_VERDICT_OK);
}

TEST(thaw_survives_a_lazy_umount)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);

	cycle_freeze(client, &dir, 1, 20000);
	disk_umount(dir, true);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	disk_mount(DISK_EXT4);
	CHECK(disk_writable(dir));
}

TEST(remount_of_a_frozen_device_thaws_too)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	struct writer writer;

	cycle_freeze(client, &dir, 1, 20000);
	disk_umount(dir, false);
	CHECK_EQ(RUN("mount", "-t", "ext4", disk_device(DISK_EXT4), dir), 0);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
}

#define INNER "/tmp/inner"
#define INNERMOST "/tmp/innermost"

/* Mount an image that lies in @outer. */
static void mount_inner(const char *outer, size_t size, const char *inner)
{
	char image[64], device[LOOP_NAME_SIZE];
	int fd;

	snprintf(image, sizeof(image), "%s/image", outer);
	disk_dirty(outer, "image", size);
	CHECK_EQ(RUN("mke2fs", "-q", "-t", "ext4", image), 0);
	fd = disk_loop(image, 0, 0, device);
	disk_mount_device(device, "ext4", "", inner);
	close(fd);
}

/* FREEZE the first three or two of these. */
static void freeze_stack(struct client *client, const uint8_t levels[], int nr,
			 uint32_t timeout_ms)
{
	struct client_request request = {
		.levels = levels,
		.nr = nr,
		.timeout_ms = timeout_ms,
	};
	int fds[] = {disk_open(disk_dir(DISK_XFS)), disk_open(INNER),
		     nr > 2 ? disk_open(INNERMOST) : -1};
	int i;

	request.fds = fds;
	CHECK_EQ(client_freeze(client, &request), 0);
	for (i = 0; i < nr; i++)
		close(fds[i]);
}

TEST(loop_freezes_before_the_disk_it_lies_on)
{
	struct client *client = client_open();
	const char *outer = disk_mount(DISK_XFS);

	mount_inner(outer, 96 << 20, INNER);
	mount_inner(INNER, 32 << 20, INNERMOST);
	disk_dirty(INNERMOST, "dirty", 4 << 20);
	disk_dirty(INNER, "dirty", 4 << 20);
	freeze_stack(client, (const uint8_t[]){0, 1, 2}, 3, 20000);
	CHECK_EQ(cycle_result(client).nr_frozen, 3);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(disk_writable(outer));
	CHECK(disk_writable(INNER));
	CHECK(disk_writable(INNERMOST));
}

/* Writes until it is told to end; blocks and goes on. */
static pid_t writer_for_ever(const char *dir)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		disk_dirty(dir, "busy", 1 << 20);
}

/*
 * The disk freezes first, and what lies on it waits for it with dirty data:
 * until the deadline, which thaws the disk and with it ends the other's wait.
 */
TEST(wrong_levels_end_at_the_deadline)
{
	struct client *client = client_open();
	const char *outer = disk_mount(DISK_XFS);
	struct client_result result;
	pid_t pid;

	mount_inner(outer, 96 << 20, INNER);
	CHECK_EQ(client_listen(client), 0);
	pid = writer_for_ever(INNER);
	freeze_stack(client, (const uint8_t[]){1, 0}, 2, 1500);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK(disk_writable(outer));
	CHECK(disk_writable(INNER));
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}
