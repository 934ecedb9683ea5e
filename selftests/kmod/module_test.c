// SPDX-License-Identifier: GPL-2.0
/* The module cannot be unloaded while anybody depends on it. */
#include "cycle.h"
#include "mapped.h"
#include "module.h"

#include "ktap.h"

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

/* The test's end unloads it too: it leaves the module loaded. */
static void check_unloads_and_works_again(void)
{
	const char *dir = disk_mount(DISK_EXT4);
	struct client *client;

	CHECK(module_unload());
	CHECK(disk_writable(dir));
	module_load();
	client = client_open();
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST(module_stays_while_a_session_is_open)
{
	struct client *client = client_open();

	CHECK_EQ(module_remove(), -EWOULDBLOCK);
	CHECK_EQ(client_command(client, KFREEZE_CMD_INFO), 0);
	client_close(client);
	check_unloads_and_works_again();
}

TEST(module_stays_while_something_is_frozen)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_XFS);
	struct writer writer;

	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(module_remove(), -EWOULDBLOCK);
	writer = writer_start(dir);
	CHECK(writer_blocks(&writer));
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(writer_ends(&writer, 10000));
	client_close(client);
	check_unloads_and_works_again();
}

/* A freeze that does not return is code of the module's that still runs. */
TEST_TIMEOUT(module_stays_while_a_freeze_is_stuck, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED;
	struct client_result result;

	mapped_mount("nobarrier,noinit_itable");
	mapped_hang();
	CHECK_EQ(cycle_request(client, &dir, 1, 500), 0);
	result = cycle_result(client);
	CHECK_EQ(result.nr_stuck, 1);
	client_close(client);
	CHECK_EQ(module_remove(), -EWOULDBLOCK);
	mapped_resume();
	check_unloads_and_works_again();
}
