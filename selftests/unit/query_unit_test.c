// SPDX-License-Identifier: GPL-2.0
/* Processors and memory of a made-up sysfs, read and switched. */
/* link: query_unit query_child query_file query */
#include "query_harness.h"

#include "query_unit.h"

#define CPUS "sys/devices/system/cpu/"
#define MEMORY "sys/devices/system/memory/"

static void want(unsigned int index, bool online)
{
	query.units.items[query.units.nr].index = index;
	query.units.items[query.units.nr++].online = online;
}

static void check_unit(size_t i, unsigned int index, bool online, bool can_offline)
{
	CHECK_EQ(records[i].kind, QUERY_UNIT);
	CHECK_EQ(records[i].unit.index, index);
	CHECK_EQ(records[i].unit.online, online);
	CHECK_EQ(records[i].unit.can_offline, can_offline);
}

static void make_processors(void)
{
	tree_start();
	tree_directory(CPUS "cpu0");
	tree_file(CPUS "cpu2/online", "0\n");
	tree_file(CPUS "cpu10/online", "1\n");
	tree_directory(CPUS "cpufreq");
	tree_directory(CPUS "cpu2x");
}

TEST(processors_in_order)
{
	make_processors();
	CHECK_EQ(query_unit_vcpus(&child), 0);
	CHECK_EQ(nr_records, 3);
	check_unit(0, 0, true, false);
	check_unit(1, 2, false, true);
	check_unit(2, 10, true, true);
}

TEST(processors_are_switched)
{
	make_processors();
	want(2, true);
	want(10, true);
	want(0, true);
	CHECK_EQ(query_unit_set_vcpus(&child), 0);
	CHECK_EQ(records[0].number, 3);
	tree_check(CPUS "cpu2/online", "1\n");
}

TEST(first_failure_is_an_error)
{
	make_processors();
	want(0, false);
	want(2, true);
	CHECK_EQ(query_unit_set_vcpus(&child), -EOPNOTSUPP);
	CHECK_STREQ(child.text, "logical processor #0 can't be offlined");
	tree_check(CPUS "cpu2/online", "0\n");
	query.units.nr = 0;
	want(3, true);
	CHECK_EQ(query_unit_set_vcpus(&child), -ENOENT);
	CHECK_STREQ(child.text, "Could not open '/sys/devices/system/cpu/cpu3/': "
				"No such file or directory");
}

TEST(later_failure_ends_the_count)
{
	make_processors();
	want(2, true);
	want(0, false);
	want(10, false);
	CHECK_EQ(query_unit_set_vcpus(&child), 0);
	CHECK_EQ(records[0].number, 1);
	CHECK_STREQ(child.text, "");
	tree_check(CPUS "cpu10/online", "1\n");
}

static void make_memory(void)
{
	tree_start();
	tree_file(MEMORY "block_size_bytes", "8000000\n");
	tree_file(MEMORY "memory0/state", "online\n");
	tree_file(MEMORY "memory0/removable", "0\n");
	tree_file(MEMORY "memory40/state", "offline\n");
	tree_file(MEMORY "memory40/removable", "1\n");
	tree_file(MEMORY "memory5/state", "going-offline\n");
}

TEST(memory_blocks_in_order)
{
	make_memory();
	CHECK_EQ(query_unit_memory_blocks(&child), 0);
	CHECK_EQ(nr_records, 3);
	check_unit(0, 0, true, false);
	check_unit(1, 5, false, false);
	check_unit(2, 40, false, true);
}

TEST(memory_block_size_is_hexadecimal)
{
	make_memory();
	CHECK_EQ(query_unit_memory_block_size(&child), 0);
	CHECK_EQ(records[0].number, 0x8000000);
}

TEST(memory_blocks_are_switched)
{
	make_memory();
	want(40, true);
	want(7, true);
	want(0, true);
	CHECK_EQ(query_unit_set_memory_blocks(&child), 0);
	CHECK_EQ(nr_records, 3);
	CHECK_EQ(records[0].switched.index, 40);
	CHECK_EQ(records[0].switched.result, QUERY_DONE);
	/* the six bytes of a sysfs file, over the eight that were there */
	tree_check(MEMORY "memory40/state", "onlinee\n");
	CHECK_EQ(records[1].switched.result, QUERY_NOT_FOUND);
	CHECK_EQ(records[1].switched.err, ENOENT);
	CHECK_EQ(records[2].switched.result, QUERY_DONE);
}

TEST(no_memory_directory_is_an_error)
{
	tree_start();
	CHECK_EQ(query_unit_memory_blocks(&child), -ENOENT);
	CHECK_STREQ(child.text, "Can't open directory "
				"\"/sys/devices/system/memory/\": "
				"No such file or directory");
	CHECK_EQ(query_unit_set_memory_blocks(&child), -ENOENT);
	CHECK_EQ(query_unit_memory_block_size(&child), -ENOENT);
}
