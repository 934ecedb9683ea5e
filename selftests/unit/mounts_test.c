// SPDX-License-Identifier: GPL-2.0
/* Targets, levels and skips, from the mount tables and sysfs of fixtures/. */
/* link: mounts mounts_namespace mounts_open mounts_table mounts_walk */
/* link: stacking stacking_disk stacking_sysfs */
/* libs: mount */
#include "ktap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "mounts.h"
#include "root.h"

static struct mounts mounts;
static char text[MOUNTS_TEXT_MAX];

static void make_parents(char *path)
{
	char *slash;

	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		CHECK(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static void make_file(const char *dir, const char *name, const char *content)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, name);
	make_parents(path);
	file = fopen(path, "w");
	CHECK(file);
	fprintf(file, "%s\n", content);
	fclose(file);
}

static void make_link(const char *dir, const char *name, const char *to)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, name);
	make_parents(path);
	CHECK_EQ(symlink(to, path), 0);
}

/* Lines of "PATH = CONTENT" or "PATH -> TARGET". */
static void make_sysfs(const char *manifest)
{
	char line[1024], *value;
	FILE *file = fopen(manifest, "r");

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		value = strstr(line, " = ");
		if (value) {
			*value = '\0';
			make_file("sys", line, value + 3);
			continue;
		}
		value = strstr(line, " -> ");
		CHECK(value);
		*value = '\0';
		make_link("sys", line, value + 4);
	}
	fclose(file);
}

/* In the source tree, as seen from the program in the build tree. */
static const char *fixture_path(const char *fixture, const char *name)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 256);
	int i;

	CHECK(len > 0);
	path[len] = '\0';
	for (i = 0; i < 4; i++)
		*strrchr(path, '/') = '\0';
	sprintf(path + strlen(path), "/selftests/unit/fixtures/%s/%s", fixture,
		name);
	return path;
}

static int read_fixture(const char *fixture, struct mounts_query query)
{
	char sysfs[64], dev[64];

	if (strstr(root, "XXXXXX"))
		root_make();
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	snprintf(dev, sizeof(dev), "%s/dev", root);
	make_sysfs(fixture_path(fixture, "sysfs"));
	make_file("dev", "vda2", "");
	make_file("dev", "dm-0", "");
	make_file("dev", "loop1", "");
	make_file("dev", "sdf2", "");
	make_file("dev", "sdh", "");
	make_file("dev", "sdi", "");
	make_link("dev", "mapper/pool", "../dm-0");
	query.sysfs = sysfs;
	query.dev = dev;
	query.mountinfo = fixture_path(fixture, "mountinfo");
	return mounts_read(&mounts, &query, text);
}

/* A process of a mount namespace; mountinfo may be NULL: it has just ended. */
static void make_process(const char *pid, const char *namespace,
			 const char *mountinfo)
{
	char name[64];

	if (strstr(root, "XXXXXX"))
		root_make();
	snprintf(name, sizeof(name), "%s/ns/mnt", pid);
	make_link("proc", name, namespace);
	snprintf(name, sizeof(name), "%s/mountinfo", pid);
	if (mountinfo)
		make_file("proc", name, mountinfo);
}

static const char *proc_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/proc", root);
	return path;
}

static void check_target(size_t index, const char *path, unsigned int level)
{
	CHECK(index < mounts.nr_targets);
	CHECK_STREQ(mounts.targets[index].path, path);
	CHECK_EQ(mounts.targets[index].level, level);
}

static const char *skip_reason(const char *path)
{
	size_t i;

	for (i = 0; i < mounts.nr_skips; i++) {
		if (!strcmp(mounts.skips[i].path, path))
			return mounts.skips[i].reason;
	}
	return NULL;
}

/* Processes of a test come in any order, those of /proc by pid. */
static const struct mounts_target *find_target(const char *path)
{
	size_t i;

	for (i = 0; i < mounts.nr_targets; i++) {
		if (!strcmp(mounts.targets[i].path, path))
			return &mounts.targets[i];
	}
	return NULL;
}

static unsigned int disk_of(const char *path)
{
	const struct mounts_target *target = find_target(path);

	CHECK(target != NULL);
	return target->disk;
}

TEST(plain_disks)
{
	CHECK_EQ(read_fixture("plain", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 3);
	check_target(0, "/", 0);
	check_target(1, "/boot/efi", 0);
	check_target(2, "/srv/with space", 0);
	CHECK_STREQ(mounts.targets[1].source, "/dev/vda15");
	CHECK_STREQ(mounts.targets[1].fstype, "vfat");
	CHECK_EQ(mounts.targets[0].fd, -1);
	mounts_free(&mounts);
}

TEST(kernel_filesystems_are_not_worth_a_word)
{
	CHECK_EQ(read_fixture("plain", (struct mounts_query){0}), 0);
	CHECK(!skip_reason("/proc"));
	CHECK(!skip_reason("/sys"));
	CHECK_STREQ(skip_reason("/run"), "no block device");
	mounts_free(&mounts);
}

TEST(btrfs_subvolumes_are_one_target)
{
	CHECK_EQ(read_fixture("btrfs", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 4);
	check_target(0, "/", 0);
	check_target(1, "/data", 0);
	check_target(2, "/mnt/image", 1);
	mounts_free(&mounts);
}

/* Its second device lies on a filesystem that lies on another one. */
TEST(btrfs_lies_on_all_of_its_devices)
{
	CHECK_EQ(read_fixture("btrfs", (struct mounts_query){0}), 0);
	check_target(3, "/mnt/mirror", 2);
	mounts_free(&mounts);
}

TEST(bind_mounts_are_one_target_named_by_its_root)
{
	CHECK_EQ(read_fixture("bind", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 2);
	check_target(0, "/", 0);
	check_target(1, "/srv", 0);
	mounts_free(&mounts);
}

TEST(loop_on_a_logical_volume)
{
	CHECK_EQ(read_fixture("loop_on_lvm", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 3);
	check_target(1, "/srv", 0);
	check_target(2, "/mnt/image", 1);
	mounts_free(&mounts);
}

TEST(nested_loops_partitions_and_raid)
{
	CHECK_EQ(read_fixture("nested", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 6);
	check_target(0, "/", 0);
	check_target(1, "/mnt/c", 3);
	check_target(2, "/mnt/a", 1);
	check_target(3, "/mnt/b", 2);
	check_target(4, "/mnt/p", 3);
	check_target(5, "/mnt/md", 4);
	mounts_free(&mounts);
}

TEST(cycle_is_refused_with_both_names)
{
	CHECK_EQ(read_fixture("cycle", (struct mounts_query){0}), -ELOOP);
	CHECK(strstr(text, "/mnt/a"));
	CHECK(strstr(text, "/mnt/b"));
	mounts_free(&mounts);
}

TEST(overlay_counts_for_what_lies_on_it_but_is_no_target)
{
	CHECK_EQ(read_fixture("overlay", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 3);
	check_target(1, "/var", 0);
	check_target(2, "/mnt/image", 1);
	CHECK_STREQ(skip_reason("/var/lib/docker/overlay2/abc/merged"),
		    "overlay: frozen with its upper directory's filesystem");
	mounts_free(&mounts);
}

TEST(remote_filesystems_are_skipped_with_reasons)
{
	CHECK_EQ(read_fixture("remote", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, 2);
	check_target(1, "/mnt/nfs/disk", 0);
	CHECK_STREQ(skip_reason("/mnt/nfs"), "network filesystem");
	CHECK_STREQ(skip_reason("/mnt/share"), "network filesystem");
	CHECK_STREQ(skip_reason("/auto"), "automount point");
	CHECK_STREQ(skip_reason("/home/u/ssh"), "network filesystem");
	CHECK_STREQ(skip_reason("/mnt/ntfs"), "fuse filesystem");
	CHECK_STREQ(skip_reason("/mnt/virtiofs"), "fuse filesystem");
	CHECK_STREQ(skip_reason("/mnt/zfs"), "no block device");
	mounts_free(&mounts);
}

static const struct {
	const char *path, *shares_with;
} on_one_disk[] = {
	{"/home", "/"}, /* partitions of it */
	{"/srv/b", "/srv/a"}, /* logical volumes on a physical one */
	{"/srv/c2", "/srv/c"},
	{"/mnt/image", "/srv/c"}, /* a loop device on its file */
	{"/mnt/md", "/mnt/d"}, /* a RAID on both its disks */
	{"/mnt/md", "/mnt/e"},
	{"/mnt/btrfs", "/mnt/f"}, /* and a btrfs on both of its */
	{"/mnt/btrfs", "/mnt/g"},
	{"/mnt/sprout", "/mnt/seed"}, /* which two of them may have in common */
};

TEST(filesystems_on_one_disk_have_its_number)
{
	size_t i;

	CHECK_EQ(read_fixture("disks", (struct mounts_query){0}), 0);
	for (i = 0; i < sizeof(on_one_disk) / sizeof(*on_one_disk); i++) {
		printf("# %s\n", on_one_disk[i].path);
		CHECK(disk_of(on_one_disk[i].path));
		CHECK_EQ(disk_of(on_one_disk[i].path),
			 disk_of(on_one_disk[i].shares_with));
	}
	mounts_free(&mounts);
}

TEST(disks_are_numbered_as_they_come)
{
	static const unsigned int numbers[] = {1, 2, 1, 2, 3, 3, 3, 4, 4,
					       4, 5, 5, 5, 6, 6, 7, 8, 0};
	size_t i;

	CHECK_EQ(read_fixture("disks", (struct mounts_query){0}), 0);
	CHECK_EQ(mounts.nr_targets, sizeof(numbers) / sizeof(*numbers));
	for (i = 0; i < mounts.nr_targets; i++) {
		printf("# %s\n", mounts.targets[i].path);
		CHECK_EQ(mounts.targets[i].disk, numbers[i]);
	}
	mounts_free(&mounts);
}

/* A tmpfs is no disk. */
TEST(loop_devices_on_files_in_memory_share_nothing)
{
	CHECK_EQ(read_fixture("disks", (struct mounts_query){0}), 0);
	CHECK(disk_of("/mnt/one") && disk_of("/mnt/other"));
	CHECK(disk_of("/mnt/one") != disk_of("/mnt/other"));
	mounts_free(&mounts);
}

TEST(disk_of_a_device_that_sysfs_does_not_have_is_unknown)
{
	CHECK_EQ(read_fixture("disks", (struct mounts_query){0}), 0);
	CHECK_EQ(disk_of("/mnt/unknown"), 0);
	mounts_free(&mounts);
}

/* It is no target, and joins what is one all the same. */
TEST(excluded_filesystem_beneath_a_loop_device_has_its_disk)
{
	struct mounts_query query = {.exclude = (char *[]){"/srv/c", NULL}};

	CHECK_EQ(read_fixture("disks", query), 0);
	CHECK_STREQ(skip_reason("/srv/c"), "excluded by configuration");
	CHECK_EQ(disk_of("/mnt/image"), disk_of("/srv/c2"));
	mounts_free(&mounts);
}

/* What nobody asked for does not join those who have nothing to do with it. */
TEST(filesystem_that_is_not_listed_joins_no_disks)
{
	struct mounts_query query = {
		.listed = true,
		.paths = (char *[]){"/mnt/d", "/mnt/e"},
		.nr_paths = 2,
	};

	CHECK_EQ(read_fixture("disks", query), 0);
	CHECK_EQ(mounts.nr_targets, 2);
	CHECK(disk_of("/mnt/d") != disk_of("/mnt/e"));
	mounts_free(&mounts);
}

/* /h/x/disk.img is on what is mounted last and on top: vdc. */
TEST(backing_file_is_found_as_path_lookup_would)
{
	struct mounts_query query = {.exclude = (char *[]){"/dev/vdc", NULL}};

	CHECK_EQ(read_fixture("hidden", query), 0);
	CHECK_STREQ(skip_reason("/h/x"), "excluded by configuration");
	check_target(3, "/mnt/image", 0);
	check_target(4, "/mnt/root", 1);
	mounts_free(&mounts);
}

TEST(exclude_matches_mount_point_source_and_type)
{
	struct mounts_query query = {
		.exclude = (char *[]){"/srv/*", "/dev/vda15", "ext4", NULL},
	};

	CHECK_EQ(read_fixture("plain", query), 0);
	CHECK_EQ(mounts.nr_targets, 0);
	CHECK_STREQ(skip_reason("/"), "excluded by configuration");
	mounts_free(&mounts);
}

/* What is excluded is no level, but what lies on it still has to wait. */
TEST(excluded_filesystem_between_two_targets)
{
	struct mounts_query query = {.exclude = (char *[]){"/mnt/b", NULL}};

	CHECK_EQ(read_fixture("nested", query), 0);
	check_target(1, "/mnt/c", 2);
	check_target(2, "/mnt/a", 1);
	mounts_free(&mounts);
}

static const struct {
	const char *path;
	const char *target; /* NULL: unknown */
} paths[] = {
	{"/srv", "/srv"},
	{"/srv/", "/srv"},
	{"//srv//.//", "/srv"},
	{"/usr/../srv", "/srv"},
	{"/../srv", "/srv"},
	{"/var/www", "/srv"},
	{"/", "/"},
	{"/no/such/path", NULL},
	{"srv", NULL},
	{"", NULL},
	{"/srv/nothing", NULL},
	{"/srvx", NULL},
};

TEST(listed_paths_are_normalised)
{
	struct mounts_query query = {.listed = true, .nr_paths = 1};
	char *path;
	size_t i;

	CHECK_EQ(read_fixture("bind", (struct mounts_query){0}), 0);
	mounts_free(&mounts);
	query.mountinfo = fixture_path("bind", "mountinfo");
	query.sysfs = root;
	query.dev = root;
	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		path = (char *)paths[i].path;
		query.paths = &path;
		printf("# \"%s\"\n", path);
		CHECK_EQ(mounts_read(&mounts, &query, text), 0);
		CHECK_EQ(mounts.nr_targets, paths[i].target ? 1 : 0);
		if (paths[i].target)
			CHECK_STREQ(mounts.targets[0].path, paths[i].target);
		CHECK_EQ(mounts.nr_skips, 0);
		mounts_free(&mounts);
	}
}

#define CONTAINER                                                        \
	"90 1 0:60 / / rw - overlay overlay rw,upperdir=/no/such/path\n" \
	"91 90 0:61 / /dev rw - tmpfs tmpfs rw\n"                        \
	"92 90 254:1 /var/lib/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n" \
	"93 90 8:16 /dir /data/dir rw - ext4 /dev/sdb rw\n"              \
	"94 90 8:16 / /data rw - ext4 /dev/sdb rw\n"                     \
	"95 90 0:62 / /nfs rw - nfs4 server:/x rw"

#define SERVICE                                   \
	"96 1 254:1 / / rw - ext4 /dev/vda1 rw\n" \
	"97 96 8:48 / /srv rw - xfs /dev/sdd rw"

static void make_containers(void)
{
	make_process("self", "mnt:[1]", "");
	make_process("1", "mnt:[1]", "");
	make_process("50", "mnt:[2]", CONTAINER);
	make_process("52", "mnt:[3]", NULL);
	make_process("53", "mnt:[4]", SERVICE);
}

TEST(what_only_containers_have_is_a_target)
{
	make_containers();
	CHECK_EQ(read_fixture("plain", (struct mounts_query){.proc = proc_path()}),
		 0);
	CHECK_EQ(mounts.nr_targets, 5);
	check_target(0, "/", 0);
	CHECK(find_target("/proc/50/root/data"));
	CHECK(find_target("/proc/53/root/srv"));
	CHECK_STREQ(find_target("/proc/50/root/data")->source, "/dev/sdb");
	CHECK_STREQ(skip_reason("/proc/50/root/nfs"), "network filesystem");
	CHECK_STREQ(skip_reason("/proc/50/root/"),
		    "overlay: frozen with its upper directory's filesystem");
	CHECK(!skip_reason("/proc/50/root/dev"));
	mounts_free(&mounts);
}

TEST(option_without_its_value_is_none)
{
	make_process("self", "mnt:[1]", "");
	make_process("50", "mnt:[2]",
		     "90 1 0:60 / / rw - overlay overlay rw,upperdir\n"
		     "91 90 8:16 / /data rw - ext4 /dev/sdb rw\n");
	CHECK_EQ(read_fixture("plain", (struct mounts_query){.proc = proc_path()}),
		 0);
	CHECK_EQ(mounts.nr_targets, 4);
	CHECK(find_target("/proc/50/root/data"));
	mounts_free(&mounts);
}

TEST(namespace_is_read_once)
{
	make_containers();
	make_process("54", "mnt:[4]",
		     "98 1 8:64 / /never/both rw - ext4 /dev/sde rw");
	CHECK_EQ(read_fixture("plain", (struct mounts_query){.proc = proc_path()}),
		 0);
	CHECK_EQ(mounts.nr_targets, 5);
	mounts_free(&mounts);
}

TEST(containers_mounts_are_excluded_by_their_path)
{
	struct mounts_query query = {
		.exclude = (char *[]){"/data", "/proc/*/root/srv", NULL},
	};

	make_containers();
	query.proc = proc_path();
	CHECK_EQ(read_fixture("plain", query), 0);
	CHECK_EQ(mounts.nr_targets, 4);
	CHECK(find_target("/proc/50/root/data"));
	CHECK_STREQ(skip_reason("/proc/53/root/srv"),
		    "excluded by configuration");
	mounts_free(&mounts);
}

TEST(list_is_about_our_own_namespace)
{
	struct mounts_query query = {
		.listed = true,
		.paths = (char *[]){"/data", "/boot/efi"},
		.nr_paths = 2,
	};

	make_containers();
	query.proc = proc_path();
	CHECK_EQ(read_fixture("plain", query), 0);
	CHECK_EQ(mounts.nr_targets, 1);
	check_target(0, "/boot/efi", 0);
	mounts_free(&mounts);
}

TEST(squashfs_is_read_only_by_design)
{
	CHECK_EQ(read_fixture("overlay", (struct mounts_query){0}), 0);
	CHECK_STREQ(skip_reason("/snap/core"), "read-only by design");
	mounts_free(&mounts);
}

/* The kernel's tables are trees; one that is not must not hang us. */
TEST(mounts_that_are_each_others_parents)
{
	struct mounts_query query = {
		.listed = true,
		.paths = (char *[]){"/a"},
		.nr_paths = 1,
		.sysfs = "/",
		.dev = "/",
	};
	char mountinfo[128];

	root_make();
	make_file("proc", "mountinfo",
		  "1 2 8:1 / / rw - ext4 /dev/sda rw\n"
		  "2 1 8:2 / / rw - ext4 /dev/sdb rw");
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", proc_path());
	query.mountinfo = mountinfo;
	CHECK_EQ(mounts_read(&mounts, &query, text), 0);
	mounts_free(&mounts);
}

TEST(strict_list_names_what_cannot_be_frozen)
{
	struct mounts_query query = {
		.listed = true,
		.strict = true,
		.paths = (char *[]){"/", "/run"},
		.nr_paths = 2,
	};

	CHECK_EQ(read_fixture("plain", query), -EOPNOTSUPP);
	CHECK_STREQ(text, "/run: cannot be frozen: no block device");
	mounts_free(&mounts);
}

TEST(unreadable_table_is_an_error)
{
	struct mounts_query query = {
		.mountinfo = "/no/such/file", .sysfs = "/", .dev = "/"};

	CHECK(mounts_read(&mounts, &query, text) < 0);
	CHECK(strstr(text, "/no/such/file: cannot read"));
	mounts_free(&mounts);
}
