// SPDX-License-Identifier: GPL-2.0
/* A mount table, as a container could make it up. */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mounts.h"

static char *exclude[] = {"/excluded*", NULL};
static char *paths[] = {"/", "/srv/../srv/x", "/no/such/path"};

static const struct mounts_query queries[] = {
	{.exclude = exclude},
	{.listed = true, .paths = paths, .nr_paths = 3},
	{.listed = true, .strict = true, .paths = paths, .nr_paths = 3},
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[32], text[MOUNTS_TEXT_MAX];
	struct mounts_query query;
	struct mounts mounts;
	int fd = memfd_create("mountinfo", MFD_CLOEXEC);
	size_t i;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		query = queries[i];
		query.mountinfo = path;
		query.sysfs = query.dev = "/nonexistent";
		if (mounts_read(&mounts, &query, text) && !*text)
			abort();
		mounts_free(&mounts);
	}
	close(fd);
	return 0;
}
