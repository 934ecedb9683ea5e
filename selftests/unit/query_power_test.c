// SPDX-License-Identifier: GPL-2.0
/* Suspend where there is no systemd; with it, its own program is run. */
/* link: query_power query_child query_command query_file query */
#include "query_harness.h"

#include "query_power.h"

static const char unsupported[] =
	"the requested suspend mode is not supported by the guest";

static void check_refused(enum query_suspend mode)
{
	query.mode = mode;
	CHECK_EQ(query_power_suspend(&child), -EOPNOTSUPP);
	CHECK_STREQ(child.text, unsupported);
}

TEST(mode_that_the_kernel_has_not_is_refused)
{
	tree_start();
	check_refused(QUERY_SUSPEND_RAM);
	tree_file("sys/power/state", "freeze standby\n");
	tree_file("sys/power/disk", "[disabled]\n");
	check_refused(QUERY_SUSPEND_RAM);
	check_refused(QUERY_SUSPEND_DISK);
	tree_file("sys/power/state", "freeze memory disk\n");
	check_refused(QUERY_SUSPEND_RAM);
	check_refused(QUERY_SUSPEND_HYBRID);
}

TEST(words_are_written)
{
	tree_start();
	tree_file("sys/power/state", "freeze mem disk\n");
	tree_file("sys/power/disk", "[platform] shutdown reboot suspend test\n");
	query.mode = QUERY_SUSPEND_HYBRID;
	CHECK_EQ(query_power_suspend(&child), 0);
	tree_check("sys/power/disk", "suspend");
	tree_check("sys/power/state", "disk");
	tree_file("sys/power/state", "freeze mem disk\n");
	query.mode = QUERY_SUSPEND_RAM;
	CHECK_EQ(query_power_suspend(&child), 0);
	tree_check("sys/power/state", "mem");
}
