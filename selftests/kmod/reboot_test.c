// SPDX-License-Identifier: GPL-2.0
/*
 * The last of all programs in a VM: init does not end what it leaves, but
 * reboots, and the runner sees whether the VM comes down.
 */
#include "cycle.h"
#include "mapped.h"

#include <fcntl.h>
#include <unistd.h>

#include "ktap.h"

#define LONGEST_MS 120000 /* whoever waits for the deadline waits too long */

void ktap_setup(void)
{
	mapped_setup();
}

/* It outlives the test, whose session is ended. */
static _Noreturn void hold(const char *const dirs[2], int told)
{
	struct client *client;

	setsid();
	client = client_open();
	CHECK_EQ(cycle_request(client, dirs, 2, LONGEST_MS), 0);
	cycle_await_target(client, 0, KFREEZE_TARGET_FROZEN);
	cycle_await_target(client, 1, KFREEZE_TARGET_FREEZING);
	CHECK_EQ(write(told, "x", 1), 1);
	close(told);
	for (;;)
		pause();
}

TEST_TIMEOUT(reboot_meets_a_freeze_and_a_stuck_one, 60)
{
	struct writer writer;
	const char *dirs[2];
	int ends[2];
	char byte;
	pid_t pid;

	mapped_mount("nobarrier,noinit_itable");
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = MAPPED;
	mapped_hang();
	CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		hold(dirs, ends[1]);
	close(ends[1]);
	CHECK_EQ(read(ends[0], &byte, 1), 1);
	writer = writer_start(dirs[0]);
	CHECK(writer_blocks(&writer));
}
