// SPDX-License-Identifier: GPL-2.0
/* Whether a path lies on a filesystem that KFREEZE_MOUNTS lists. */
/* link: hooks/filesystems */
#include "ktap.h"

#include "hooks/filesystems.h"

/* "MAJOR:MINOR" of /proc and of /sys, which are always there. */
static char proc[16], sys[16];

static void find(const char *mount_point, char *device)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[4096], path[256];

	CHECK(file);
	while (!*device && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*u %*u %15s %*s %255s", device, path) != 2 ||
		    strcmp(path, mount_point))
			*device = '\0';
	}
	fclose(file);
	CHECK(*device);
}

static void set(const char *format, const char *device)
{
	char text[256];

	snprintf(text, sizeof(text), format, device);
	CHECK_EQ(setenv("KFREEZE_MOUNTS", text, 1), 0);
}

static void set_up(void)
{
	find("/proc", proc);
	find("/sys", sys);
	CHECK(strcmp(proc, sys));
}

TEST(listed_filesystem_is_frozen)
{
	set_up();
	set("%s /proc", proc);
	CHECK_EQ(filesystems_has("/proc/self/status"), 1);
	CHECK_EQ(filesystems_has("/sys/kernel"), 0);
	set("0:9999 /x\\040y\n%s /sys", sys);
	CHECK_EQ(filesystems_has("/proc/self/status"), 0);
	CHECK_EQ(filesystems_has("/sys/kernel"), 1);
}

TEST(nothing_is_listed)
{
	set_up();
	set("%s", "");
	CHECK_EQ(filesystems_has("/proc/self/status"), 0);
}

TEST(list_that_is_cut_may_have_it)
{
	set_up();
	set("%s /sys\n...", sys);
	CHECK_EQ(filesystems_has("/proc/self/status"), 1);
}

TEST(no_list_excludes_nothing)
{
	CHECK_EQ(unsetenv("KFREEZE_MOUNTS"), 0);
	CHECK_EQ(filesystems_has("/proc/self/status"), 1);
}

TEST(missing_path_is_told)
{
	set_up();
	set("%s /proc", proc);
	CHECK_EQ(filesystems_has("/no/such/path"), -ENOENT);
}
