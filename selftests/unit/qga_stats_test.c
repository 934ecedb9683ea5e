// SPDX-License-Identifier: GPL-2.0
/* Counters as JSON: as many as the kernel has. */
#include "qga_harness.h"

TEST(cpustats)
{
	const struct query_record records[] = {
		{.kind = QUERY_CPU_TIMES,
		 .cpu = {.cpu = 0,
			 .nr = 10,
			 .times_ms = {10, 20, 30, 40, 50, 60, 70, 80, 90,
				      UINT64_MAX}}},
		{.kind = QUERY_CPU_TIMES,
		 .cpu = {.cpu = 7, .nr = 4, .times_ms = {1, 2, 3, 4}}},
	};

	check_reply("guest-get-cpustats", QUERY_CPUSTATS, records, 2,
		    "[{\"type\": \"linux\", \"cpu\": 0, \"user\": 10, "
		    "\"nice\": 20, \"system\": 30, \"idle\": 40, "
		    "\"iowait\": 50, \"irq\": 60, \"softirq\": 70, "
		    "\"steal\": 80, \"guest\": 90, "
		    "\"guestnice\": 18446744073709551615}, "
		    "{\"type\": \"linux\", \"cpu\": 7, \"user\": 1, "
		    "\"nice\": 2, \"system\": 3, \"idle\": 4}]");
}

TEST(diskstats)
{
	const struct query_record records[] = {
		{.kind = QUERY_DISK_COUNTERS,
		 .counters = {.name = "vda",
			      .major = 254,
			      .minor = 0,
			      .nr = 17,
			      .values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
					 13, 14, 15, 16, 17}}},
		{.kind = QUERY_DISK_COUNTERS,
		 .counters = {.name = "sda", .major = 8, .nr = 11}},
	};

	check_reply("guest-get-diskstats", QUERY_DISKSTATS, records, 2,
		    "[{\"name\": \"vda\", \"major\": 254, \"minor\": 0, \"stats\": {"
		    "\"read-ios\": 1, \"read-merges\": 2, \"read-sectors\": 3, "
		    "\"read-ticks\": 4, \"write-ios\": 5, \"write-merges\": 6, "
		    "\"write-sectors\": 7, \"write-ticks\": 8, \"ios-pgr\": 9, "
		    "\"total-ticks\": 10, \"weight-ticks\": 11, "
		    "\"discard-ios\": 12, \"discard-merges\": 13, "
		    "\"discard-sectors\": 14, \"discard-ticks\": 15, "
		    "\"flush-ios\": 16, \"flush-ticks\": 17}}, "
		    "{\"name\": \"sda\", \"major\": 8, \"minor\": 0, \"stats\": {"
		    "\"read-ios\": 0, \"read-merges\": 0, \"read-sectors\": 0, "
		    "\"read-ticks\": 0, \"write-ios\": 0, \"write-merges\": 0, "
		    "\"write-sectors\": 0, \"write-ticks\": 0, \"ios-pgr\": 0, "
		    "\"total-ticks\": 0, \"weight-ticks\": 0}}]");
}
