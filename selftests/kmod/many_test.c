// SPDX-License-Identifier: GPL-2.0
/*
 * As many filesystems as a request can name freeze as one; or "many" in the
 * environment, which is the kernel's command line.
 */
#include "cycle.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define SLICES_MAX KFREEZE_MAX_TARGETS
#define SLICE_SIZE (128 << 10)
#define IMAGE "/tmp/slices"
#define WORKERS 16
#define PATIENCE_S 170

static int nr_slices;
static const char *dirs[SLICES_MAX];
static char devices[SLICES_MAX][LOOP_NAME_SIZE];

/* Mounts and unmounts are bound by grace periods. */
void ktap_setup(void)
{
	CHECK_EQ(file_write("/sys/kernel/rcu_expedited", "1"), 0);
}

void ktap_teardown(void)
{
	CHECK_EQ(file_write("/sys/kernel/rcu_expedited", "0"), 0);
}

/* Copies of one small filesystem, one behind the other in a sparse file. */
static void write_slices(void)
{
	static char image[SLICE_SIZE], zeroes[4096];
	int fd, i;
	size_t at;

	CHECK_EQ(RUN("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-N",
		     "16", IMAGE, "128k"),
		 0);
	fd = open(IMAGE, O_RDWR | O_CLOEXEC);
	CHECK_EQ(read(fd, image, SLICE_SIZE), SLICE_SIZE);
	CHECK_EQ(ftruncate(fd, (off_t)nr_slices * SLICE_SIZE), 0);
	for (at = 0; at < SLICE_SIZE; at += sizeof(zeroes)) {
		if (!memcmp(image + at, zeroes, sizeof(zeroes)))
			continue;
		for (i = 1; i < nr_slices; i++)
			CHECK_EQ(pwrite(fd, image + at, sizeof(zeroes),
					(off_t)i * SLICE_SIZE + at),
				 sizeof(zeroes));
	}
	close(fd);
}

/* In some processes: most of it is waiting for grace periods. */
static void for_each_slice(void (*act)(int i))
{
	int status, i, n;

	for (n = 0; n < WORKERS; n++) {
		if (fork() > 0)
			continue;
		for (i = n; i < nr_slices; i += WORKERS)
			act(i);
		exit(EXIT_SUCCESS);
	}
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
}

static void mount_slice(int i)
{
	mkdir(dirs[i], 0755);
	CHECK_EQ(mount(devices[i], dirs[i], "ext4", 0, ""), 0);
}

static void unmount_slice(int i)
{
	disk_umount(dirs[i], false);
}

static void mount_slices(void)
{
	int fds[SLICES_MAX], i;

	write_slices();
	for (i = 0; i < nr_slices; i++) {
		fds[i] = disk_loop(IMAGE, (size_t)i * SLICE_SIZE, SLICE_SIZE,
				   devices[i]);
		CHECK(asprintf((char **)&dirs[i], "/tmp/slice%d", i) > 0);
	}
	for_each_slice(mount_slice);
	for (i = 0; i < nr_slices; i++)
		close(fds[i]);
}

static void check_writers_block(void)
{
	struct writer writer;
	int i;

	for (i = 0; i < nr_slices; i += nr_slices / 8) {
		writer = writer_start(dirs[i]);
		CHECK(writer_blocks(&writer));
	}
}

TEST_TIMEOUT(as_many_filesystems_as_allowed_freeze_as_one, PATIENCE_S)
{
	static struct client_result messages[SLICES_MAX + 1];
	struct rlimit files = {2 * SLICES_MAX, 2 * SLICES_MAX};
	struct client *client = client_open();
	struct client_result result;
	long long start = clock_ms();
	int i;

	nr_slices = cycle_setting("many", SLICES_MAX);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
	mount_slices();
	printf("# %d filesystems mounted in %lld ms\n", nr_slices,
	       clock_ms() - start);
	start = clock_ms();
	cycle_freeze(client, dirs, nr_slices, 60000);
	printf("# frozen in %lld ms\n", clock_ms() - start);
	check_writers_block();
	CHECK_EQ(client_status(client, messages, nr_slices + 1), nr_slices + 1);
	for (i = 0; i < nr_slices; i++) {
		CHECK_EQ(messages[i + 1].target.index, i);
		CHECK_EQ(messages[i + 1].target.state, KFREEZE_TARGET_FROZEN);
	}
	start = clock_ms();
	result = cycle_thaw(client);
	printf("# thawed in %lld ms\n", clock_ms() - start);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_frozen, nr_slices);
	for (i = 0; i < nr_slices; i += nr_slices / 8)
		CHECK(disk_writable(dirs[i]));
	start = clock_ms();
	for_each_slice(unmount_slice);
	printf("# unmounted in %lld ms\n", clock_ms() - start);
	unlink(IMAGE);
}
