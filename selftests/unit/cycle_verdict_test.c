// SPDX-License-Identifier: GPL-2.0
/* What a host is told of a cycle that did not go well. */
/* link: cycle_verdict */
#include "cycle_verdict.h"

#include <errno.h>
#include <string.h>

#include "config.h"
#include "freezer.h"
#include "ktap.h"
#include "mounts.h"

static struct mounts_target places[] = {
	{.path = "/srv/a", .source = "/dev/vdb"},
	{.path = "/srv/b", .source = "/dev/vdc"},
};
static const struct mounts mounts = {.targets = places, .nr_targets = 2};
static const struct config config = {
	.timeout_ms = 10000,
	.flush_timeout_ms = 4500,
};
static struct freezer_target records[2];

/* Stand-ins for the backends' file. */
const char *freezer_cause_name(enum kfreeze_cause cause)
{
	return cause == KFREEZE_CAUSE_RESCUE ? "rescued" : "another cause";
}

const char *freezer_step_name(enum kfreeze_step step)
{
	return step == KFREEZE_STEP_FLUSH ? "flush" : "freeze";
}

static struct cycle_verdict over(const struct freezer_notice *notice,
				 bool was_frozen)
{
	const struct cycle_verdict_of of = {
		.config = &config,
		.mounts = &mounts,
		.targets = records,
		.was_frozen = was_frozen,
	};
	struct cycle_verdict verdict;

	cycle_verdict_over(&verdict, &of, notice);
	return verdict;
}

TEST(time_limits_name_filesystem_step_and_limit)
{
	static const struct {
		struct freezer_notice notice;
		const char *text;
	} rows[] = {
		{{.verdict = KFREEZE_VERDICT_FAILED,
		  .cause = KFREEZE_CAUSE_FLUSH_DEADLINE,
		  .blamed = 0},
		 "/srv/a (/dev/vdb): flush: not done after 5 s; nothing was "
		 "frozen"},
		{{.verdict = KFREEZE_VERDICT_FAILED,
		  .cause = KFREEZE_CAUSE_FLUSH_DEADLINE,
		  .blamed = -1},
		 "flush: not done after 5 s; nothing was frozen"},
		{{.verdict = KFREEZE_VERDICT_LOST,
		  .cause = KFREEZE_CAUSE_DEADLINE,
		  .nr_stuck = 1,
		  .blamed = 1},
		 "/srv/b (/dev/vdc): freeze: not done after 10 s; what does not "
		 "answer stays frozen until it does"},
		{{.verdict = KFREEZE_VERDICT_LOST,
		  .cause = KFREEZE_CAUSE_DEADLINE,
		  .blamed = 2}, /* no index of ours */
		 "freeze: not done after 10 s; everything was rolled back"},
	};
	struct cycle_verdict verdict;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		verdict = over(&rows[i].notice, false);
		CHECK_STREQ(verdict.text, rows[i].text);
		CHECK_EQ(verdict.verdict, REPORT_FAILED);
		CHECK_EQ(verdict.err, -ETIMEDOUT);
	}
}

TEST(deadline_of_a_frozen_cycle_is_a_loss)
{
	const struct freezer_notice notice = {
		.verdict = KFREEZE_VERDICT_LOST,
		.cause = KFREEZE_CAUSE_DEADLINE,
		.blamed = -1,
	};
	struct cycle_verdict verdict = over(&notice, true);

	CHECK_STREQ(verdict.text, "another cause");
	CHECK_EQ(verdict.verdict, REPORT_LOST);
	CHECK_EQ(verdict.err, -ESTALE);
}

TEST(errors_name_filesystem_step_and_reason)
{
	const struct freezer_notice notice = {
		.verdict = KFREEZE_VERDICT_FAILED,
		.cause = KFREEZE_CAUSE_ERROR,
		.blamed = 1,
	};
	struct cycle_verdict verdict;

	records[1].step = KFREEZE_STEP_FREEZE;
	records[1].err = -EIO;
	verdict = over(&notice, false);
	CHECK_STREQ(verdict.text, "/srv/b (/dev/vdc): freeze: Input/output error; "
				  "everything was rolled back");
	CHECK_EQ(verdict.err, -EIO);
	records[1].err = -EBUSY;
	verdict = over(&notice, false);
	CHECK_STREQ(verdict.text,
		    "/srv/b (/dev/vdc): freeze: busy: somebody else has frozen "
		    "it; everything was rolled back");
	CHECK_EQ(verdict.err, -EBUSY);
}

TEST(end_before_frozen_is_an_abort)
{
	const struct freezer_notice notice = {
		.verdict = KFREEZE_VERDICT_ABORTED,
		.cause = KFREEZE_CAUSE_RESCUE,
		.blamed = -1,
	};
	struct cycle_verdict verdict = over(&notice, false);

	CHECK_STREQ(verdict.text, "freeze: rescued; everything was rolled back");
	CHECK_EQ(verdict.verdict, REPORT_ABORTED);
	CHECK_EQ(verdict.err, -ECANCELED);
}

TEST(refusal_names_who_is_at_fault)
{
	struct freezer_request request = {
		.blamed = 0,
		.text = "another cycle holds this filesystem",
	};
	struct cycle_verdict verdict;

	cycle_verdict_refused(&verdict, &mounts, &request, -EBUSY);
	CHECK_STREQ(verdict.text,
		    "/srv/a (/dev/vdb): freeze: another cycle holds this "
		    "filesystem; nothing was frozen");
	CHECK_EQ(verdict.err, -EBUSY);
	request.blamed = -1;
	request.text[0] = '\0';
	cycle_verdict_refused(&verdict, &mounts, &request, -ENOMEM);
	CHECK_STREQ(verdict.text,
		    "freeze: Cannot allocate memory; nothing was frozen");
}
