// SPDX-License-Identifier: GPL-2.0
/* Writers get some time between two freezes, whoever asks for the second. */
#include "cycle.h"
#include "mapped.h"
#include "module.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"

/* Longer than the default, and than a slow machine takes to ask again. */
#define INTERVAL_MS 1000
#define INTERVAL "min_interval_ms=1000"

void ktap_setup(void)
{
	if (module_unload())
		RUN("insmod", "/lib/modules/kfreeze.ko", INTERVAL);
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

static bool is_too_soon(struct client *client, const char *dir)
{
	int fd = disk_open(dir);
	struct client_request request = {.fds = &fd, .nr = 1};
	int err = client_try(client, client_freeze_message(client, &request));

	close(fd);
	return err == -EAGAIN && !strcmp(client->text, CLIENT_TOO_SOON);
}

TEST(interval_between_cycles_is_kept)
{
	struct client *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	long long before;

	cycle_freeze(client, &dir, 1, 20000);
	before = clock_ms(); /* told of the end later than it is */
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(is_too_soon(client, dir));
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	CHECK(clock_ms() - before >= INTERVAL_MS);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* Or else two sessions of one owner would keep the machine frozen in turn. */
TEST(no_other_session_gets_round_the_interval)
{
	struct client *other = client_open(), *client = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	long long before;

	cycle_freeze(client, &dir, 1, 20000);
	before = clock_ms(); /* told of the end later than it is */
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
	CHECK(is_too_soon(other, dir));
	client_close(client);
	client = client_open();
	CHECK(is_too_soon(client, dir));
	CHECK(is_too_soon(other, dir));
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	CHECK(clock_ms() - before >= INTERVAL_MS);
}

/* Nor when it is the close that thaws. */
TEST(close_of_a_frozen_session_leaves_the_interval)
{
	struct client *client = client_open(), *other = client_open();
	const char *dir = disk_mount(DISK_EXT4);
	long long closed;

	CHECK_EQ(client_listen(other), 0);
	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_result(other).event, KFREEZE_EVENT_FROZEN);
	closed = clock_ms();
	client_close(client);
	CHECK_EQ(cycle_result(other).event, KFREEZE_EVENT_OVER);
	client = client_open();
	CHECK(is_too_soon(client, dir));
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), 0);
	CHECK(clock_ms() - closed >= INTERVAL_MS);
}

/* Its writers are blocked until it thaws itself: they get the interval too. */
TEST_TIMEOUT(stuck_freeze_leaves_the_interval, 60)
{
	struct client *client = client_open();
	const char *dir = MAPPED, *other;
	struct client_result result;

	CHECK_EQ(client_listen(client), 0);
	mapped_mount("nobarrier,noinit_itable");
	other = disk_mount(DISK_EXT4);
	mapped_hang();
	CHECK_EQ(cycle_request(client, &dir, 1, 500), 0);
	result = cycle_result(client);
	CHECK_EQ(result.nr_stuck, 1);
	CHECK_EQ(result.hold_ns, 0);
	CHECK(is_too_soon(client, other));
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_OVER);
	poll(NULL, 0, INTERVAL_MS);
	mapped_resume();
	CHECK_EQ(cycle_result(client).event, KFREEZE_EVENT_UNSTUCK);
	CHECK(is_too_soon(client, other));
	cycle_freeze(client, &other, 1, 20000);
}
