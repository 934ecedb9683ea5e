// SPDX-License-Identifier: GPL-2.0
/* /proc/stat and /proc/diskstats of several kernels. */
/* link: query_stats query_child query_file query */
#include "query_harness.h"

#include "query_stats.h"

TEST(processors_without_their_sum)
{
	long ticks_per_s = sysconf(_SC_CLK_TCK);

	tree_start();
	tree_file("proc/stat", "cpu  9 9 9 9 9 9 9 9 9 9\n"
			       "cpu0 1 2 3 4 5 6 7 8 9 10\n"
			       "cpu12 1 2 3 4 5\n"
			       "cpu13 1 2 3\n"
			       "intr 5 cpu3 1 2 3 4\n"
			       "ctxt 7\n");
	CHECK_EQ(query_stats_cpu(&child), 0);
	CHECK_EQ(nr_records, 2);
	CHECK_EQ(records[0].kind, QUERY_CPU_TIMES);
	CHECK_EQ(records[0].cpu.cpu, 0);
	CHECK_EQ(records[0].cpu.nr, 10);
	CHECK_EQ(records[0].cpu.times_ms[9], 10 * 1000 / ticks_per_s);
	CHECK_EQ(records[1].cpu.cpu, 12);
	CHECK_EQ(records[1].cpu.nr, 5);
}

TEST(disks_of_old_and_new_kernels)
{
	tree_start();
	tree_file("proc/diskstats",
		  " 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
		  "   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11\n"
		  " 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n"
		  "nonsense\n"
		  "   8       2 sda2 1 2 3 4\n");
	CHECK_EQ(query_stats_disk(&child), 0);
	CHECK_EQ(nr_records, 3);
	CHECK_STREQ(records[0].counters.name, "vda");
	CHECK_EQ(records[0].counters.major, 254);
	CHECK_EQ(records[0].counters.nr, 17);
	CHECK_EQ(records[0].counters.values[16], 17);
	CHECK_STREQ(records[1].counters.name, "sda1");
	CHECK_EQ(records[1].counters.minor, 1);
	CHECK_EQ(records[1].counters.nr, 11);
	CHECK_EQ(records[2].counters.nr, 17);
}

TEST(no_file_is_an_error)
{
	tree_start();
	CHECK_EQ(query_stats_cpu(&child), -ENOENT);
	CHECK_EQ(query_stats_disk(&child), -ENOENT);
}
