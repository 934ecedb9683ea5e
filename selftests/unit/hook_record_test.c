// SPDX-License-Identifier: GPL-2.0
/* What a monitor leaves behind for the next one. */
/* link: hook_record hook_environment hook_list hook_trust hook_header log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "hook_environment.h"
#include "hook_list.h"
#include "hook_record.h"

static char path[] = "/tmp/kfreeze-record-XXXXXX";
static struct hook_list list, loaded;
static struct hook_environment environment, loaded_environment;

static void tear_down(void)
{
	unlink(path);
	hook_list_free(&list);
	hook_list_free(&loaded);
}

static void set_up(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	atexit(tear_down);
	CHECK_EQ(hook_record_open(path), 0);
}

static void check_variable(const char *wanted)
{
	size_t i;

	for (i = 0; i < loaded_environment.nr; i++) {
		if (!strcmp(loaded_environment.variables[i], wanted))
			return;
	}
	CHECK_STREQ(wanted, "found");
}

TEST(hooks_that_are_owed_come_back_in_order)
{
	set_up();
	hook_list_add(&list, "/a/1");
	hook_list_add(&list, "/a/not owed");
	hook_list_add(&list, "/b/2");
	list.hooks[0].owed = list.hooks[2].owed = true;
	hook_environment_set(&environment, "KFREEZE_ID", "7");
	hook_environment_set(&environment, "KFREEZE_MOUNTS", "8:1 /\n8:2 /srv");
	hook_record_save(&list, &environment);
	hook_record_load(&loaded, &loaded_environment);
	CHECK_EQ(loaded.nr, 2);
	CHECK_STREQ(loaded.hooks[0].path, "/a/1");
	CHECK_STREQ(loaded.hooks[1].path, "/b/2");
	check_variable("KFREEZE_ID=7");
	check_variable("KFREEZE_MOUNTS=8:1 /\n8:2 /srv");
}

TEST(a_shorter_record_replaces_a_longer_one)
{
	set_up();
	hook_list_add(&list, "/a/a-long-name");
	list.hooks[0].owed = true;
	hook_record_save(&list, &environment);
	list.hooks[0].owed = false;
	hook_record_save(&list, &environment);
	hook_record_load(&loaded, &loaded_environment);
	CHECK_EQ(loaded.nr, 0);
}

TEST(an_empty_record_has_nothing)
{
	set_up();
	hook_record_load(&loaded, &loaded_environment);
	CHECK_EQ(loaded.nr, 0);
}

TEST(a_record_that_was_cut_short_is_read_to_its_end)
{
	int fd;

	set_up();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_EQ(write(fd, "A=1\0\0/a/1\0/a", 12), 12);
	close(fd);
	hook_record_load(&loaded, &loaded_environment);
	CHECK_EQ(loaded.nr, 2);
	CHECK_STREQ(loaded.hooks[1].path, "/a");
	CHECK(*loaded.hooks[1].refusal);
}

/* Of another monitor that lives. */
TEST(a_record_has_one_owner)
{
	set_up();
	CHECK_EQ(hook_record_open(path), -EWOULDBLOCK);
}
