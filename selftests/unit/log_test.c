// SPDX-License-Identifier: GPL-2.0
/* Log lines to a file, and what holding does to them. */
/* link: log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#include "log.h"

static char path[] = "/tmp/kfreeze-log-XXXXXX";

static void remove_log(void)
{
	unlink(path);
}

static void open_log(bool verbose)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	atexit(remove_log);
	CHECK_EQ(log_init("test", path, verbose), 0);
}

static const char *read_log(void)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	CHECK(len >= 0);
	close(fd);
	text[len] = '\0';
	return text;
}

TEST(a_line_has_time_level_and_text)
{
	long long sec;
	int usec, end = 0;

	open_log(false);
	log_err("%s: cannot open: %s", "/srv", "No such file or directory");
	CHECK_EQ(sscanf(read_log(), "%lld.%6d: %n", &sec, &usec, &end), 2);
	CHECK_STREQ(read_log() + end,
		    "error: /srv: cannot open: No such file or directory\n");
	CHECK(llabs(sec - time(NULL)) < 5);
}

TEST(debug_lines_only_when_verbose)
{
	open_log(false);
	log_debug("not this");
	log_info("this");
	CHECK(!strstr(read_log(), "not this"));
	CHECK(strstr(read_log(), "info: this\n"));
	CHECK_EQ(log_init("test", path, true), 0);
	log_debug("but this");
	CHECK(strstr(read_log(), "debug: but this\n"));
}

TEST(held_lines_are_written_at_release_in_order)
{
	open_log(false);
	log_hold();
	log_info("one");
	log_warn("two");
	CHECK_STREQ(read_log(), "");
	log_release();
	CHECK(strstr(read_log(), "info: one\n"));
	CHECK(strstr(strstr(read_log(), "info: one\n"), "warning: two\n"));
	log_info("three");
	CHECK(strstr(read_log(), "info: three\n"));
}

TEST(held_lines_keep_their_time)
{
	struct timespec held, now;
	long long sec;
	int usec;

	open_log(false);
	log_hold();
	clock_gettime(CLOCK_REALTIME, &held);
	log_info("one");
	do { /* later than a timer tick */
		clock_gettime(CLOCK_REALTIME, &now);
	} while ((now.tv_sec - held.tv_sec) * 1000 +
			 (now.tv_nsec - held.tv_nsec) / 1000000 <
		 50);
	log_release();
	CHECK_EQ(sscanf(read_log(), "%lld.%6d", &sec, &usec), 2);
	CHECK((sec - held.tv_sec) * 1000000 + usec - held.tv_nsec / 1000 < 50000);
}

/* Fields are the journal's: see the guest's tests for what it makes of them. */
TEST(fields_are_no_part_of_the_line)
{
	open_log(false);
	log_with(LOG_WARNING, "A=1\nB=2", "%s", "one");
	log_hold();
	log_with(LOG_INFO, "A=1\nB=2", "two");
	log_with(LOG_INFO, "", "three");
	log_release();
	CHECK(strstr(read_log(), "warning: one\n"));
	CHECK(strstr(read_log(), "info: two\n"));
	CHECK(strstr(read_log(), "info: three\n"));
	CHECK(!strchr(read_log(), '='));
}

TEST(what_does_not_fit_is_counted)
{
	int i, nr = 0;
	const char *at;
	unsigned int dropped;

	open_log(false);
	log_hold();
	for (i = 0; i < 5000; i++)
		log_info("line");
	log_release();
	for (at = read_log(); (at = strstr(at, "info: line\n")); at++)
		nr++;
	CHECK(nr > 1000 && nr < 5000);
	at = strstr(read_log(), "warning: ");
	CHECK(at);
	CHECK_EQ(sscanf(at, "warning: %u log lines were dropped", &dropped), 1);
	CHECK_EQ(dropped, 5000 - nr);
	log_hold();
	log_info("room again");
	log_release();
	CHECK(strstr(read_log(), "info: room again\n"));
}

TEST(long_lines_are_cut)
{
	char text[5000];

	open_log(false);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	log_hold();
	log_info("%s", text);
	log_release();
	CHECK(strlen(read_log()) < 2200);
	CHECK_EQ(read_log()[strlen(read_log()) - 1], '\n');
}

TEST(a_log_that_cannot_be_opened_is_an_error)
{
	CHECK_EQ(log_init("test", "/no/such/directory/log", false), -ENOENT);
}
