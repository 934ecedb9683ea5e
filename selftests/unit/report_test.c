// SPDX-License-Identifier: GPL-2.0
/* The ring of the last cycles. */
/* link: report */
#include "ktap.h"

#include "report.h"

TEST(nothing_before_the_first_cycle)
{
	CHECK(!report_cycle());
	CHECK(!report_get(0));
	CHECK(!report_add_target());
}

TEST(records_follow_their_cycle)
{
	report_start(1);
	report_add_skip();
	report_add_target()->level = 5;
	report_add_target()->level = 6;
	report_start(2);
	report_add_hook();
	CHECK_EQ(report_cycle()->id, 2);
	CHECK_EQ(report_get(0)->kind, REPORT_CYCLE);
	CHECK_EQ(report_get(0)->cycle.id, 1);
	CHECK_EQ(report_get(1)->kind, REPORT_SKIP);
	CHECK_EQ(report_get(2)->target.level, 5);
	CHECK_EQ(report_get(3)->target.level, 6);
	CHECK_EQ(report_get(4)->cycle.id, 2);
	CHECK_EQ(report_get(5)->kind, REPORT_HOOK);
	CHECK(!report_get(6));
}

TEST(targets_are_found_by_index)
{
	report_start(1);
	report_add_target()->level = 5;
	report_add_skip();
	report_add_target()->level = 6;
	CHECK_EQ(report_target(0)->level, 5);
	CHECK_EQ(report_target(1)->level, 6);
	CHECK(!report_target(2));
}

TEST(oldest_cycle_makes_room)
{
	uint32_t id;

	for (id = 1; id <= REPORT_MAX_CYCLES + 2; id++)
		report_start(id);
	for (id = 0; id < REPORT_MAX_CYCLES; id++)
		CHECK_EQ(report_get(id)->cycle.id, id + 3);
	CHECK(!report_get(REPORT_MAX_CYCLES));
}

TEST(a_cycle_is_bounded)
{
	int nr = 1;

	report_start(1);
	while (report_add_hook())
		nr++;
	CHECK_EQ(nr, REPORT_MAX_RECORDS);
	CHECK(!report_add_target());
	report_start(2);
	CHECK(report_add_target());
}

TEST(copies_fit_or_end_in_dots)
{
	char text[8];

	report_copy(text, sizeof(text), "1234567");
	CHECK_STREQ(text, "1234567");
	report_copy(text, sizeof(text), "12345678");
	CHECK_STREQ(text, "1234...");
	report_copy(text, sizeof(text), "");
	CHECK_STREQ(text, "");
}
