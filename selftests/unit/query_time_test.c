// SPDX-License-Identifier: GPL-2.0
/* Which clock is set from which; neither of this machine's is touched. */
/* link: query_time query_child query */
#include "ktap.h"

#include <time.h>

#include "query_child.h"
#include "query_command.h"
#include "query_time.h"

static struct query query;
static struct query_child child = {.query = &query};
static unsigned int nr_set;
static struct timespec set;
static int clock_err;
static char option[8];

/* In place of the system's. */
int clock_settime(clockid_t clock, const struct timespec *time)
{
	CHECK_EQ(clock, CLOCK_REALTIME);
	set = *time;
	nr_set++;
	errno = clock_err;
	return clock_err ? -1 : 0;
}

/* In place of the one that runs it. */
int query_command_run(struct query_child *asked, const char *const argv[],
		      const char *purpose)
{
	CHECK(asked == &child);
	CHECK_STREQ(argv[0], "/sbin/hwclock");
	CHECK(argv[2] == NULL);
	CHECK_STREQ(purpose, "set hardware clock to system time");
	snprintf(option, sizeof(option), "%s", argv[1]);
	return 0;
}

static int set_time(int64_t ns)
{
	query.set_time.is_given = true;
	query.set_time.ns = ns;
	return query_time_set(&child);
}

TEST(given_time_goes_to_both_clocks)
{
	CHECK_EQ(set_time(1900000000123456789), 0);
	CHECK_EQ(nr_set, 1);
	CHECK_EQ(set.tv_sec, 1900000000);
	CHECK_EQ(set.tv_nsec, 123456789);
	CHECK_STREQ(option, "-w");
}

TEST(without_one_the_hardware_tells)
{
	CHECK_EQ(query_time_set(&child), 0);
	CHECK_EQ(nr_set, 0);
	CHECK_STREQ(option, "-s");
}

TEST(time_before_the_epoch_is_refused)
{
	CHECK_EQ(set_time(-1), -EINVAL);
	CHECK_STREQ(child.text, "Failed to set time to guest: Invalid argument");
	CHECK_EQ(nr_set, 0);
	CHECK_STREQ(option, "");
}

TEST(kernel_that_refuses_leaves_the_hardware_alone)
{
	clock_err = EPERM;
	CHECK_EQ(set_time(0), -EPERM);
	CHECK_STREQ(child.text,
		    "Failed to set time to guest: Operation not permitted");
	CHECK_EQ(nr_set, 1);
	CHECK_STREQ(option, "");
}
