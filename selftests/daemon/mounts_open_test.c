// SPDX-License-Identifier: GPL-2.0
/* Targets of the running system: opened, not frozen. */
/* link: mounts mounts_table stacking ipc query */
/* libs: mount */
#include "ktap.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "mounts.h"
#include "sandbox.h"

static struct mounts mounts;
static char text[MOUNTS_TEXT_MAX];

static void read_mounts(void)
{
	CHECK_EQ(mounts_read(&mounts, &mounts_query_system, text), 0);
}

static const struct mounts_target *find_target(const char *path)
{
	size_t i;

	for (i = 0; i < mounts.nr_targets; i++) {
		if (!strcmp(mounts.targets[i].path, path))
			return &mounts.targets[i];
	}
	return NULL;
}

/* The last one: what is on top comes later in the table. */
static const char *skip_reason(const char *path)
{
	size_t i;

	for (i = mounts.nr_skips; i; i--) {
		if (!strcmp(mounts.skips[i - 1].path, path))
			return mounts.skips[i - 1].reason;
	}
	return NULL;
}

TEST(descriptors_lead_to_the_filesystems)
{
	struct stat by_fd, by_path;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(find_target(a));
	CHECK_EQ(fstat(find_target(a)->fd, &by_fd), 0);
	CHECK_EQ(stat(a, &by_path), 0);
	CHECK_EQ(by_fd.st_dev, by_path.st_dev);
	CHECK_EQ(by_fd.st_dev, find_target(a)->dev);
	mounts_free(&mounts);
}

TEST(hidden_under_another_mount)
{
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mount("tmpfs", a, "tmpfs", 0, NULL), 0);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(!find_target(a));
	CHECK_STREQ(skip_reason(a), "hidden under another mount");
	mounts_free(&mounts);
}

TEST(hidden_mount_point_but_another_mount_is_visible)
{
	const char *a, *other = SANDBOX "/other";

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mkdir(other, 0755), 0);
	CHECK_EQ(mount(a, other, NULL, MS_BIND, NULL), 0);
	CHECK_EQ(mount("tmpfs", a, "tmpfs", 0, NULL), 0);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(find_target(other));
	mounts_free(&mounts);
}

TEST(unmounted_after_the_table_was_read)
{
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	read_mounts();
	CHECK(find_target(a));
	CHECK_EQ(umount2(a, 0), 0);
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(!find_target(a));
	CHECK_STREQ(skip_reason(a), "unmounted meanwhile");
	mounts_free(&mounts);
}

TEST(only_a_socket_is_mounted)
{
	const char *a, *bound = SANDBOX "/bound";

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mknod(SANDBOX "/a/socket", S_IFSOCK | 0600, 0), 0);
	sandbox_write_file(bound, "", 0644);
	CHECK_EQ(mount(SANDBOX "/a/socket", bound, NULL, MS_BIND, NULL), 0);
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(find_target(bound));
	CHECK(find_target(bound)->fd >= 0);
	mounts_free(&mounts);
}

/* The path of the backing file leads elsewhere now: the driver knows. */
TEST(backing_file_whose_path_is_hidden)
{
	const char *a, *b, *other = SANDBOX "/other";

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", a);
	CHECK_EQ(mkdir(other, 0755), 0);
	CHECK_EQ(mount(a, other, NULL, MS_BIND, NULL), 0);
	CHECK_EQ(mount("tmpfs", a, "tmpfs", 0, NULL), 0);
	read_mounts();
	CHECK(find_target(b));
	CHECK_EQ(find_target(b)->level, 1);
	mounts_free(&mounts);
}
