// SPDX-License-Identifier: GPL-2.0
/* A query in a child, from the loop that asked. */
/* link: query_process query_run query_child query_system query_stats */
/* link: query_time query_net query_unit query_power */
/* link: query_command query_file query_disk query_address query_smart */
/* link: query_filesystem mounts_local mounts_table ipc query */
/* libs: libsystemd mount */
#include "ktap.h"

#include <sys/syscall.h>

#include "query_process.h"

static sd_event *event;
static unsigned int nr_records, nr_over, room;
static struct query_record last;
static int last_err;
static char last_text[512];
static unsigned int nr_kills;

/* Of the C library's name: what is tested calls this. */
int kill(pid_t pid, int signal)
{
	nr_kills++;
	return syscall(SYS_kill, pid, signal);
}

static bool has_room(void)
{
	return room > 0;
}

static void on_record(const struct query_record *record)
{
	last = *record;
	nr_records++;
	room--;
}

static void on_over(int err, const char *text)
{
	last_err = err;
	snprintf(last_text, sizeof(last_text), "%s", text);
	nr_over++;
}

static const struct query_events query_events = {
	.has_room = has_room,
	.record = on_record,
	.over = on_over,
};

static void start(enum query_topic topic)
{
	const struct query query = {.topic = topic};

	CHECK(sd_event_new(&event) >= 0);
	query_process_init(event, &query_events);
	room = 100;
	query_process_start(&query);
}

static void wait_over(void)
{
	while (!nr_over)
		CHECK(sd_event_run(event, 10000000) > 0);
}

TEST(record_then_the_end)
{
	char name[256];

	CHECK_EQ(gethostname(name, sizeof(name)), 0);
	start(QUERY_HOST_NAME);
	CHECK_EQ(nr_over, 0);
	wait_over();
	CHECK_EQ(last_err, 0);
	CHECK_EQ(nr_records, 1);
	CHECK_STREQ(last.text, name);
}

TEST(nothing_is_read_without_room)
{
	start(QUERY_HOST_NAME);
	room = 0;
	while (sd_event_run(event, 1000000) > 0)
		;
	CHECK_EQ(nr_records, 0);
	CHECK_EQ(nr_over, 0);
	room = 2;
	query_process_resume();
	wait_over();
	CHECK_EQ(nr_records, 1);
}

/* Its number may be another process's by now. */
TEST(reaped_child_is_not_killed)
{
	siginfo_t info;

	start(QUERY_HOST_NAME);
	room = 0;
	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
		CHECK(sd_event_run(event, 10000000) > 0);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(nr_over, 0);
	nr_kills = 0;
	room = 2;
	query_process_resume();
	CHECK_EQ(nr_over, 1);
	CHECK_EQ(nr_records, 1);
	CHECK_EQ(nr_kills, 0);
}

TEST(stopped_at_once)
{
	start(QUERY_HOST_NAME);
	query_process_stop(-ECANCELED, "enough");
	CHECK_EQ(nr_over, 1);
	CHECK_EQ(last_err, -ECANCELED);
	CHECK_STREQ(last_text, "enough");
	query_process_stop(-ECANCELED, "enough");
	CHECK_EQ(nr_over, 1);
}

/* All find a place, and none is left as a zombie. */
TEST(many_one_after_the_other)
{
	const struct query query = {.topic = QUERY_LOAD};
	unsigned int i;
	siginfo_t info;

	start(QUERY_LOAD);
	wait_over();
	for (i = 0; i < 20; i++) {
		nr_over = 0;
		query_process_start(&query);
		wait_over();
		CHECK_EQ(last_err, 0);
	}
	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
		CHECK(sd_event_run(event, 10000000) > 0);
	CHECK_EQ(errno, ECHILD);
}
