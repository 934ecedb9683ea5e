// SPDX-License-Identifier: GPL-2.0
/* What keeps the module from being loaded, and from being unloaded. */
#include "cycle.h"
#include "mapped.h"
#include "module.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST(parameters_out_of_range_are_refused)
{
	static const char *const rows[][2] = {
		{"timeout_ms=0", "1 to 120000"},
		{"timeout_ms=120001", "1 to 120000"},
		{"max_timeout_ms=999", "1000 to 600000"},
		{"max_timeout_ms=600001", "1000 to 600000"},
		{"flush_timeout_ms=0", "1 to 600000"},
		{"flush_timeout_ms=600001", "1 to 600000"},
		{"min_interval_ms=600001", "0 to 600000"},
	};
	int log = log_open();
	char words[128];
	size_t i;

	CHECK(module_unload());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK(RUN("insmod", "/lib/modules/kfreeze.ko", rows[i][0]) != 0);
		snprintf(words, sizeof(words),
			 "kfreeze: parameter %s is out of range, %s\n",
			 rows[i][0], rows[i][1]);
		CHECK(log_says(log, words));
	}
	module_load();
}

/* The others' defaults have to fit it too. */
TEST(maximum_below_the_default_is_refused)
{
	int log = log_open();

	CHECK(module_unload());
	CHECK(RUN("insmod", "/lib/modules/kfreeze.ko", "max_timeout_ms=59999") !=
	      0);
	CHECK(log_says(
		log,
		"kfreeze: parameter timeout_ms=60000 is out of range, 1 to 59999\n"));
	module_load();
}

static unsigned long parameter(const char *name)
{
	char path[96], line[32];

	snprintf(path, sizeof(path), "/sys/module/kfreeze/parameters/%s", name);
	file_read(path, line, sizeof(line));
	return strtoul(line, NULL, 10);
}

static void check_limits(uint32_t timeout_ms, uint32_t max_timeout_ms,
			 uint32_t flush_timeout_ms, uint32_t min_interval_ms)
{
	struct client_info info = client_info();

	CHECK_EQ(info.timeout_ms, timeout_ms);
	CHECK_EQ(info.max_timeout_ms, max_timeout_ms);
	CHECK_EQ(info.flush_timeout_ms, flush_timeout_ms);
	CHECK_EQ(info.min_interval_ms, min_interval_ms);
	CHECK_EQ(parameter("timeout_ms"), timeout_ms);
	CHECK_EQ(parameter("max_timeout_ms"), max_timeout_ms);
	CHECK_EQ(parameter("flush_timeout_ms"), flush_timeout_ms);
	CHECK_EQ(parameter("min_interval_ms"), min_interval_ms);
}

TEST(info_tells_version_and_limits)
{
	struct client_info info = client_info();
	char line[32];

	file_read("/sys/module/kfreeze/version", line, sizeof(line));
	line[strcspn(line, "\n")] = '\0';
	CHECK_STREQ(info.version, line);
	CHECK_EQ(info.max_targets, KFREEZE_MAX_TARGETS);
	CHECK_EQ(info.max_sessions, KFREEZE_MAX_SESSIONS);
	check_limits(60000, 120000, 60000, 100);
}

static void check_default_timeout(struct client *client, uint32_t timeout_ms)
{
	const char *dir = disk_mount(DISK_EXT4);
	long long start = clock_ms();
	struct client_result status;

	cycle_freeze(client, &dir, 1, 0);
	CHECK_EQ(client_status(client, &status, 1), 2);
	CHECK(status.remaining_ms <= timeout_ms);
	CHECK(status.remaining_ms + (clock_ms() - start) + 1 >= timeout_ms);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST(parameters_are_used_and_told)
{
	struct client *client;
	int fd = disk_open("/tmp");
	const struct client_request request = {
		.fds = &fd,
		.nr = 1,
		.timeout_ms = 50001,
	};

	CHECK(module_unload());
	CHECK_EQ(RUN("insmod", "/lib/modules/kfreeze.ko", "timeout_ms=40000",
		     "max_timeout_ms=50000", "flush_timeout_ms=30000",
		     "min_interval_ms=70"),
		 0);
	check_limits(40000, 50000, 30000, 70);
	client = client_open();
	CHECK_EQ(client_freeze(client, &request), -ERANGE);
	check_default_timeout(client, 40000);
	client_close(client);
	CHECK(module_unload());
	module_load();
}

TEST(parameters_can_be_read_only)
{
	static const char *const names[] = {"timeout_ms", "max_timeout_ms",
					    "flush_timeout_ms",
					    "min_interval_ms"};
	char path[96];
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path),
			 "/sys/module/kfreeze/parameters/%s", names[i]);
		CHECK_EQ(stat(path, &st), 0);
		CHECK_EQ(st.st_mode, S_IFREG | 0444);
	}
}
