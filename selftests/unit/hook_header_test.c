// SPDX-License-Identifier: GPL-2.0
/* The comment header of a hook. */
/* link: hook_header */
#include "ktap.h"

#include <fcntl.h>

#include "hook_header.h"

static char path[] = "/tmp/kfreeze-header-XXXXXX";
static char error[HOOK_HEADER_ERROR_MAX];
static struct hook_header header;

static void remove_file(void)
{
	unlink(path);
}

static int read_header(const char *text)
{
	static int fd = -1;

	if (fd < 0) {
		fd = mkstemp(path);
		CHECK(fd >= 0);
		atexit(remove_file);
	}
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
	return hook_header_read(path, &header, error);
}

static const struct {
	const char *text;
	struct hook_header header;
} accepted[] = {
	{"", {0}},
	{"#!/bin/sh", {0}},
	{"#!/bin/sh\n# kfreeze: timeout=120 policy=abort parallel\n",
	 {120000, HOOK_POLICY_ABORT, true}},
	{"#!/bin/sh\n#kfreeze:parallel", {.parallel = true}},
	{"#!/bin/sh\r\n# kfreeze:\tpolicy=continue \r\n",
	 {.policy = HOOK_POLICY_CONTINUE}},
	{"#!/bin/sh\n\n# another\n\n  ## kfreeze: timeout=600\n# kfreeze: parallel\n",
	 {600000, HOOK_POLICY_DEFAULT, true}},
	/* below the comments it begins with, and in no script, it is none */
	{"#!/bin/sh\necho\n# kfreeze: nonsense\n", {0}},
	{"\177ELF\n# kfreeze: nonsense\n", {0}},
	{"# kfreeze: parallel\n", {0}},
};

TEST(accepted_headers)
{
	size_t i;

	for (i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		printf("# row %zu\n", i);
		CHECK_EQ(read_header(accepted[i].text), 0);
		CHECK_EQ(header.timeout_ms, accepted[i].header.timeout_ms);
		CHECK_EQ(header.policy, accepted[i].header.policy);
		CHECK_EQ(header.parallel, accepted[i].header.parallel);
	}
}

TEST(refused_words)
{
	static const char *const words[] = {
		"timeout",
		"timeout=",
		"timeout=0",
		"timeout=601",
		"timeout=-1",
		"timeout=1s",
		"timeout=+5",
		"policy",
		"policy=x",
		"policy=aborted",
		"parallel=no",
		"Parallel",
		"timeout=99999999999999999999",
	};
	char text[128], quoted[64];
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		printf("# %s\n", words[i]);
		snprintf(text, sizeof(text), "#!/bin/sh\n# kfreeze: %s\n",
			 words[i]);
		CHECK_EQ(read_header(text), -EINVAL);
		snprintf(quoted, sizeof(quoted), "'%.24s'", words[i]);
		CHECK(strstr(error, quoted));
	}
}

TEST(a_file_that_cannot_be_read)
{
	CHECK_EQ(hook_header_read("/no/such", &header, error), -ENOENT);
	CHECK_STREQ(error, "No such file or directory");
}
