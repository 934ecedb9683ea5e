// SPDX-License-Identifier: GPL-2.0
/* Lines, values, links and directories below the root of a query. */
/* link: query_file query */
#include "query_harness.h"

#include "query_file.h"

TEST(first_line)
{
	char line[8];

	tree_start();
	tree_file("a/b1", "one\ntwo\n");
	tree_file("a/empty", "");
	CHECK_EQ(query_file_line(&child, line, sizeof(line), "/a/b%d", 1), 0);
	CHECK_STREQ(line, "one");
	CHECK_EQ(query_file_line(&child, line, sizeof(line), "/a/empty"), -EIO);
	CHECK_EQ(query_file_line(&child, line, sizeof(line), "/a/b2"), -ENOENT);
	tree_file("a/long", "123456789\n");
	CHECK_EQ(query_file_line(&child, line, sizeof(line), "/a/long"), 0);
	CHECK_STREQ(line, "1234567");
}

TEST(value_of_a_key)
{
	char value[8] = "";

	tree_start();
	tree_file("uevent", "MAJOR=8\nDEVNAME=sda\nDEVNAME=sdb\nX=123456789\n");
	CHECK(query_file_value(&child, "DEVNAME=", value, 8, "/uevent"));
	CHECK_STREQ(value, "sda");
	CHECK(query_file_value(&child, "X=", value, 8, "/uevent"));
	CHECK_STREQ(value, "1234567");
	CHECK(!query_file_value(&child, "NAME=", value, 8, "/uevent"));
	CHECK(!query_file_value(&child, "X=", value, 8, "/none"));
}

TEST(resolved_path_is_below_the_root)
{
	char path[PATH_MAX];

	tree_start();
	tree_directory("sys/devices/pci0/sda");
	tree_link("sys/block/sda", "sys/devices/pci0/sda");
	CHECK_EQ(query_file_resolve(&child, path, "/sys/block/%s", "sda"), 0);
	CHECK_STREQ(path, "/sys/devices/pci0/sda");
	CHECK_EQ(query_file_resolve(&child, path, "/sys/block/sdb"), -ENOENT);
	CHECK(query_file_exists(&child, "/sys/block/sda"));
	CHECK(!query_file_exists(&child, "/sys/block/sdb"));
}

TEST(path_that_is_too_long_is_an_error)
{
	static char name[PATH_MAX];
	char path[PATH_MAX];

	tree_start();
	memset(name, 'a', sizeof(name) - 1);
	CHECK_EQ(query_file_resolve(&child, path, "/%s", name), -ENAMETOOLONG);
	CHECK_EQ(query_file_line(&child, path, 10, "/%s", name), -ENAMETOOLONG);
	CHECK(!query_file_exists(&child, "/%s", name));
}

static int collect(struct query_child *asked, const char *directory,
		   const char *name, void *data)
{
	CHECK(asked == &child);
	CHECK_STREQ(directory, "/d");
	strcat(strcat(data, name), " ");
	return !strcmp(name, "sd9") ? -E2BIG : 0;
}

TEST(entries_in_order)
{
	char names[64] = "";

	tree_start();
	tree_directory("d");
	CHECK_EQ(query_file_each(&child, "/d", collect, names), 0);
	CHECK_STREQ(names, "");
	tree_file("d/sd10", "");
	tree_file("d/sd2", "");
	tree_file("d/.hidden", "");
	CHECK_EQ(query_file_each(&child, "/d", collect, names), 0);
	CHECK_STREQ(names, "sd2 sd10 ");
	*names = '\0';
	tree_file("d/sd9", "");
	CHECK_EQ(query_file_each(&child, "/d", collect, names), -E2BIG);
	CHECK_STREQ(names, "sd2 sd9 ");
	CHECK_EQ(query_file_each(&child, "/none", collect, names), -ENOENT);
}
