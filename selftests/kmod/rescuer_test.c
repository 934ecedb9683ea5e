// SPDX-License-Identifier: GPL-2.0
/*
 * Where no worker can be created, the queue's rescuer thaws. What gets stuck in
 * it keeps nobody else once there are workers again.
 */
#include "cycle.h"
#include "mapped.h"
#include "workers.h"

#include <linux/fs.h>
#include <sys/mount.h>

#include "ktap.h"

void ktap_setup(void)
{
	workers_setup();
	mapped_setup();
}

void ktap_teardown(void)
{
	workers_teardown();
	mapped_teardown();
	disk_umount_all();
}

/* @stuck has frozen MAPPED, and is the first that is to be thawed. */
static void check_thaw(struct client *stuck, const char *other)
{
	struct writer writer = writer_start(other);

	CHECK(writer_blocks(&writer));
	mapped_hang();
	CHECK_EQ(workers_starve(), 0);
	CHECK_EQ(client_command(client_new(), KFREEZE_CMD_RESCUE), 0);
	CHECK(workers_rescuer_gets_stuck());
	CHECK_EQ(workers_feed(), 0);
	CHECK(writer_ends(&writer, 10000));
	CHECK(workers_rescuer_is_stuck());
	mapped_resume();
	CHECK_EQ(cycle_result(stuck).state, KFREEZE_STATE_IDLE);
	CHECK(disk_writable(MAPPED));
}

TEST_TIMEOUT(stuck_thaw_keeps_nobody_else_of_its_session, 60)
{
	struct client *client = client_open();
	const char *dirs[] = {MAPPED, disk_mount(DISK_EXT4)};

	mapped_mount("");
	cycle_freeze(client, dirs, 2, 60000);
	check_thaw(client, dirs[1]);
}

TEST_TIMEOUT(stuck_thaw_keeps_no_other_session, 60)
{
	struct client *stuck = client_open(), *client = client_open();
	const char *mapped = MAPPED, *dir = disk_mount(DISK_EXT4);

	mapped_mount("");
	cycle_freeze(stuck, &mapped, 1, 60000);
	cycle_freeze(client, &dir, 1, 60000);
	check_thaw(stuck, dir);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_IDLE);
}

/*
 * Without workers we are late to hear of a foreign thaw: by then its filesystem
 * is frozen again, by somebody else. A read-only one: to freeze others takes
 * workers.
 */
TEST_TIMEOUT(late_news_of_a_foreign_thaw_leave_a_foreign_freeze, 60)
{
	struct client *stuck = client_open(), *client = client_open();
	const char *mapped = MAPPED, *dir = disk_mount(DISK_EXT4);
	struct client_result result;

	if (client_holder() != KFREEZE_HOLDER_NONE)
		SKIP("on this kernel nobody else can thaw");
	mapped_mount("");
	CHECK_EQ(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	cycle_freeze(stuck, &mapped, 1, 60000);
	cycle_freeze(client, &dir, 1, 60000);
	mapped_hang();
	CHECK_EQ(workers_starve(), 0);
	CHECK_EQ(client_command(stuck, KFREEZE_CMD_THAW), 0);
	CHECK(workers_rescuer_gets_stuck());
	CHECK_EQ(disk_ioctl(dir, FITHAW), 0);
	CHECK_EQ(disk_ioctl(dir, FIFREEZE), 0);
	CHECK_EQ(workers_feed(), 0);
	result = cycle_result(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_LOST);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_FOREIGN_THAW);
	CHECK_EQ(disk_ioctl(dir, FITHAW), 0);
	mapped_resume();
	CHECK_EQ(cycle_result(stuck).verdict, KFREEZE_VERDICT_OK);
}
