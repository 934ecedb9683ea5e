// SPDX-License-Identifier: GPL-2.0
/* The window over what a hook prints. */
/* link: hook_output */
#include "ktap.h"

#include <fcntl.h>

#include "hook_output.h"

static struct hook_output output;
static char text[HOOK_OUTPUT_MAX];
static int ends[2];

static void start(void)
{
	CHECK_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
}

static void print(const char *data, size_t len)
{
	CHECK_EQ(write(ends[1], data, len), (ssize_t)len);
	CHECK(hook_output_read(&output, ends[0]));
}

/* More than the window holds, in pieces that do not divide it. */
TEST(the_end_is_kept)
{
	static char line[1001];
	size_t len, i;

	start();
	for (i = 0; i < 300; i++) {
		memset(line, 'a' + i % 26, sizeof(line));
		line[1000] = '\n';
		print(line, sizeof(line));
	}
	len = hook_output_take(&output, text);
	CHECK_EQ(len, HOOK_OUTPUT_MAX);
	CHECK_EQ(text[len - 2], 'a' + 299 % 26);
	CHECK_EQ(text[len - 1002], '\n');
	CHECK_EQ(text[len - 1003], 'a' + 298 % 26);
	CHECK_EQ(hook_output_take(&output, text), 0);
}

TEST(what_comes_later_is_taken_later)
{
	start();
	print("one\n", 4);
	CHECK_EQ(hook_output_take(&output, text), 4);
	print("two\n", 4);
	CHECK_EQ(hook_output_take(&output, text), 4);
	CHECK(!memcmp(text, "two\n", 4));
}

TEST(end_of_file_is_told)
{
	start();
	CHECK(hook_output_read(&output, ends[0]));
	close(ends[1]);
	CHECK(!hook_output_read(&output, ends[0]));
}

TEST(last_line)
{
	char line[8];

	start();
	hook_output_last_line(&output, line, sizeof(line));
	CHECK_STREQ(line, "");
	print("one\ntwo\tthree\r\n\n", 16);
	hook_output_last_line(&output, line, sizeof(line));
	CHECK_STREQ(line, "two thr");
}
