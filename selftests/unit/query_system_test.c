// SPDX-License-Identifier: GPL-2.0
/* os-release as distributions write it, and logins of all kinds. */
/* link: query_system query_child query_file query */
#include "query_harness.h"

#include <sys/utsname.h>
#include <utmpx.h>

#include "query_system.h"

TEST(os_release)
{
	struct utsname name;

	tree_start();
	tree_file("etc/os-release", "# a comment\n"
				    "PRETTY_NAME=\"Debian \\\"12\\\" \\$5 \\n\"\n"
				    "NAME='Single; quoted'\n"
				    "ID=debian # rest\n"
				    "VERSION_ID=\"12\" garbage\n"
				    "VERSION=\"unterminated\n"
				    "VARIANT=\n"
				    "VARIANT_ID=server;x\n"
				    "XVERSION=no\n");
	CHECK_EQ(uname(&name), 0);
	CHECK_EQ(query_system_os(&child), 0);
	CHECK_EQ(nr_records, 1);
	CHECK_STREQ(records[0].os.kernel_release, name.release);
	CHECK_STREQ(records[0].os.kernel_version, name.version);
	CHECK_STREQ(records[0].os.machine, name.machine);
	CHECK_STREQ(records[0].os.pretty_name, "Debian \"12\" $5 \\n");
	CHECK_STREQ(records[0].os.name, "Single; quoted");
	CHECK_STREQ(records[0].os.id, "debian");
	CHECK_STREQ(records[0].os.version_id, "12");
	CHECK_STREQ(records[0].os.version, "unterminated");
	CHECK_STREQ(records[0].os.variant, "");
	CHECK_STREQ(records[0].os.variant_id, "server");
}

TEST(os_release_elsewhere)
{
	tree_start();
	CHECK_EQ(query_system_os(&child), 0);
	CHECK_STREQ(records[0].os.id, "");
	tree_file("usr/lib/os-release", "ID=vendor\n");
	CHECK_EQ(query_system_os(&child), 0);
	CHECK_STREQ(records[1].os.id, "vendor");
	tree_file("etc/os-release", "ID=admin\n");
	CHECK_EQ(query_system_os(&child), 0);
	CHECK_STREQ(records[2].os.id, "admin");
	tree_file("my", "ID=mine\n");
	setenv("QGA_OS_RELEASE", "/my", 1);
	CHECK_EQ(query_system_os(&child), 0);
	CHECK_STREQ(records[3].os.id, "mine");
}

static void log_in(FILE *file, short type, const char *user, int seconds,
		   int useconds)
{
	struct utmpx login = {.ut_type = type};

	memcpy(login.ut_user, user, strnlen(user, sizeof(login.ut_user)));
	login.ut_tv.tv_sec = seconds;
	login.ut_tv.tv_usec = useconds;
	CHECK_EQ(fwrite(&login, sizeof(login), 1, file), 1);
}

TEST(users_once_with_their_oldest_login)
{
	static const char longest[] = "user-name-of-thirty-two-bytes-xx";
	char path[PATH_MAX];
	FILE *file;

	tree_start();
	tree_path(path, "var/run/utmp");
	file = fopen(path, "w");
	CHECK(file != NULL);
	log_in(file, BOOT_TIME, "reboot", 1, 0);
	log_in(file, USER_PROCESS, "alice", 20, 5);
	log_in(file, USER_PROCESS, longest, 30, 0);
	log_in(file, USER_PROCESS, "alice", 10, 7);
	log_in(file, USER_PROCESS, "alice", 15, 0);
	log_in(file, DEAD_PROCESS, "gone", 3, 0);
	fclose(file);
	CHECK_EQ(query_system_users(&child), 0);
	CHECK_EQ(nr_records, 2);
	CHECK_STREQ(records[0].user.name, "alice");
	CHECK_EQ(records[0].user.login_us, 10000007);
	CHECK_EQ(sizeof(((struct utmpx *)0)->ut_user), strlen(longest));
	CHECK_STREQ(records[1].user.name, longest);
}

TEST(nobody_is_there)
{
	tree_start();
	CHECK_EQ(query_system_users(&child), 0);
	CHECK_EQ(nr_records, 0);
}

TEST(name_zone_and_load_are_the_systems)
{
	char name[256];

	tree_start();
	CHECK_EQ(gethostname(name, sizeof(name)), 0);
	CHECK_EQ(query_system_host_name(&child), 0);
	CHECK_STREQ(records[0].text, name);
	setenv("TZ", "XYZ-5:30", 1);
	CHECK_EQ(query_system_timezone(&child), 0);
	CHECK_STREQ(records[1].zone.name, "XYZ");
	CHECK_EQ(records[1].zone.offset_s, 5 * 3600 + 1800);
	CHECK_EQ(query_system_load(&child), 0);
	CHECK_EQ(records[2].kind, QUERY_LOAD_AVERAGES);
}
