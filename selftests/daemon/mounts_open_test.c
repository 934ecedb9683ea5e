// SPDX-License-Identifier: GPL-2.0
/* Targets of the running system: opened, not frozen. */
/* link: mounts mounts_namespace mounts_open mounts_table mounts_walk */
/* link: stacking stacking_disk stacking_sysfs ipc query */
/* libs: mount */
#include "ktap.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "hostile.h"
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

/* Another process could mount it at any moment: looking at the table first is
 * not enough. */
TEST(fuse_that_hangs_comes_between)
{
	const char *a, *dir = SANDBOX "/dir";

	SANDBOX_ENTER("");
	CHECK_EQ(mkdir(dir, 0755), 0);
	a = sandbox_mount("dir/a", SANDBOX);
	read_mounts();
	CHECK(find_target(a));
	hostile_fuse(dir);
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(!find_target(a));
	CHECK_STREQ(skip_reason(a), "unmounted meanwhile");
	mounts_free(&mounts);
}

TEST(fuse_that_hangs_is_never_touched)
{
	const char *a, *dir = SANDBOX "/dir";

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mkdir(dir, 0755), 0);
	hostile_fuse(dir);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(find_target(a));
	CHECK_STREQ(skip_reason(dir), "fuse filesystem");
	mounts_free(&mounts);
}

/* Its path in the test's own namespace, and in that of @pid. */
static const char *in_container(pid_t pid, const char *path)
{
	static char inside[256];

	snprintf(inside, sizeof(inside), "/proc/%d/root%s", pid, path);
	return inside;
}

TEST(mounted_in_a_container_only)
{
	struct stat by_fd, by_path;
	const char *a, *inside;
	pid_t container;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	container = hostile_container();
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	inside = in_container(container, a);
	read_mounts();
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(!find_target(a));
	CHECK(find_target(inside));
	CHECK_EQ(fstat(find_target(inside)->fd, &by_fd), 0);
	CHECK_EQ(stat(inside, &by_path), 0);
	CHECK_EQ(by_fd.st_dev, by_path.st_dev);
	mounts_free(&mounts);
}

TEST(container_ends_meanwhile)
{
	const char *a, *inside;
	pid_t container;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	container = hostile_container();
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	inside = in_container(container, a);
	read_mounts();
	CHECK(find_target(inside));
	CHECK_EQ(kill(container, SIGKILL), 0);
	CHECK_EQ(waitpid(container, NULL, 0), container);
	CHECK_EQ(mounts_open(&mounts, text), 0);
	CHECK(!find_target(inside));
	CHECK_STREQ(skip_reason(inside), "unmounted meanwhile");
	mounts_free(&mounts);
}

#define MANY 400

static long long read_time_ms(void)
{
	long long start = clock_ms();

	read_mounts();
	mounts_free(&mounts);
	return clock_ms() - start;
}

/* A process costs one readlink(), whatever its namespace has. */
TEST(many_processes_are_cheap)
{
	long long few, many;
	int i;

	SANDBOX_ENTER("");
	few = read_time_ms();
	for (i = 0; i < MANY; i++) {
		if (!fork())
			for (;;)
				pause();
	}
	many = read_time_ms();
	printf("# %lld ms, %lld ms with %d more processes\n", few, many, MANY);
	CHECK(many - few < MANY);
}
