// SPDX-License-Identifier: GPL-2.0
/* Ends in every way a test of ktap.h can; ktap_selftest.py reads the result. */
#include "ktap.h"

void ktap_teardown(void)
{
	printf("# teardown\n");
}

TEST(passes)
{
	CHECK(1 + 1 == 2);
	CHECK_EQ(1 + 1, 2);
	CHECK_STREQ("a", "a");
}

TEST(check_fails)
{
	errno = ENOENT;
	CHECK(1 + 1 == 3);
}

TEST(check_eq_fails)
{
	CHECK_EQ(1 + 1, 3);
}

TEST(check_streq_fails)
{
	CHECK_STREQ("a", NULL);
}

TEST(skips)
{
	SKIP("no such feature");
}

TEST_TIMEOUT(hangs, 1)
{
	/* The child, too, must be gone afterwards. */
	if (fork() == 0)
		prctl(PR_SET_NAME, "ktap_orphan");
	for (;;)
		pause();
}

TEST(crashes)
{
	raise(SIGKILL);
}
