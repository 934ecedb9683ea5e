// SPDX-License-Identifier: GPL-2.0
/* Lists in memory: on a tmpfs, as any user. */
/* link: freezer_list */
#include "ktap.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "freezer_list.h"

static char directory[] = "/dev/shm/kfreeze-XXXXXX";
static char name[LIST_NAME_SIZE];
static int lock_fd;

static void init(void)
{
	struct statfs fs;

	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS_MAGIC)
		SKIP("/dev/shm is no tmpfs");
	CHECK(mkdtemp(directory));
	CHECK_EQ(list_init(directory), 0);
}

static void end(void)
{
	list_remove(name);
	CHECK_EQ(rmdir(directory), 0);
}

static int nr_lists(void)
{
	DIR *dir = list_open();
	int nr = 0;

	CHECK(dir);
	while (list_next(dir))
		nr++;
	closedir(dir);
	return nr;
}

TEST(list_is_shared_memory_under_a_name)
{
	char *memory, *again;
	size_t size;
	int fd;

	init();
	memory = list_create(10000, name, &lock_fd);
	CHECK(memory && *name && lock_fd >= 0);
	CHECK_EQ(nr_lists(), 1);
	CHECK_EQ(memory[9999], 0);
	memory[9999] = 'x';
	close(lock_fd);
	fd = list_lock(name, false);
	again = list_map(fd, &size);
	CHECK(again);
	CHECK_EQ(size, 10000);
	CHECK_EQ(again[9999], 'x');
	end();
}

/* Also by one which has the memory only, such as a thread that cannot die. */
TEST(list_is_locked_as_long_as_the_lock_is_open)
{
	size_t size;
	int fd;

	init();
	CHECK(list_create(100, name, &lock_fd));
	CHECK_EQ(list_lock(name, false), -EWOULDBLOCK);
	close(lock_fd);
	fd = list_lock(name, false);
	CHECK(fd >= 0);
	CHECK(list_map(fd, &size));
	close(fd);
	fd = list_lock(name, false);
	CHECK(fd >= 0);
	end();
	CHECK_EQ(list_lock(name, false), -ENOENT);
}

TEST(nothing_is_kept_where_it_could_be_frozen)
{
	CHECK_EQ(list_init("/proc"), -EXDEV);
	CHECK_EQ(list_init("/proc/no/such"), -ENOENT);
	CHECK(!list_open());
	CHECK(list_create(100, name, &lock_fd));
	CHECK_STREQ(name, "");
	CHECK_EQ(lock_fd, -1);
}

TEST(process_is_known_by_its_start)
{
	pid_t child = fork();

	if (!child)
		pause();
	CHECK(list_process_start(getpid()) > 0);
	CHECK(list_process_start(child) >= list_process_start(getpid()));
	CHECK_EQ(kill(child, SIGKILL), 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_EQ(list_process_start(child), 0);
}
