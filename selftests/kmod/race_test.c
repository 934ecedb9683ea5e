// SPDX-License-Identifier: GPL-2.0
/*
 * Everybody at once: owners that freeze, thaw, close, exit, expire and are
 * killed, umount, foreign thaw, rescue, writers. race_rounds and race_seed of
 * the environment, which is the kernel's command line, repeat a run.
 */
#include "cycle.h"
#include "module.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ktap.h"

#define DISKS 5
#define ACTORS 6
#define ROUNDS 20
#define ROUND_MS 60000 /* a round takes a second or two */
#define LONG_MS 120000 /* longer than a round: only the owner ends it */
#define MOMENT_US 60000 /* about as long as a freeze takes */

static const enum disk disk[DISKS] = {DISK_EXT4, DISK_EXT4_2, DISK_XFS,
				      DISK_BTRFS, DISK_VFAT};
static const char *dirs[DISKS];

/* Not to wait for anything, but to be anywhere when others do their part. */
static void drift(unsigned int *seed)
{
	struct timespec ts = {.tv_nsec = 1000L * (rand_r(seed) % MOMENT_US)};

	nanosleep(&ts, NULL);
}

static bool coin(unsigned int *seed)
{
	return rand_r(seed) & 16;
}

/* 0 or -errno of a FREEZE of some of the disks. */
static int freeze_some(struct client *client, unsigned int *seed)
{
	struct client_request request = {.timeout_ms = LONG_MS};
	unsigned int wanted = rand_r(seed) % ((1 << DISKS) - 1) + 1;
	uint8_t levels[DISKS];
	int fds[DISKS], err, i;

	for (i = 0; i < DISKS; i++) {
		if (!(wanted & (1U << i)))
			continue;
		levels[request.nr] = rand_r(seed) % 3;
		fds[request.nr++] = disk_open(dirs[i]);
	}
	if (coin(seed))
		request.timeout_ms = 1 + rand_r(seed) % (MOMENT_US / 1000);
	request.fds = fds;
	request.levels = levels;
	err = client_freeze(client, &request);
	for (i = 0; i < request.nr; i++)
		close(fds[i]);
	return err;
}

/* An owner that lives to see the end of its cycle is told what it was worth. */
static void see_the_end(struct client *client)
{
	struct client_result result;

	do {
		result = cycle_result(client);
	} while (result.state != KFREEZE_STATE_IDLE);
	CHECK(result.verdict != KFREEZE_VERDICT_NONE);
	CHECK(result.cause != KFREEZE_CAUSE_NONE);
}

static void own(unsigned int seed)
{
	struct client *client = client_open();
	int err;

	drift(&seed);
	err = freeze_some(client, &seed);
	/* the other owner has it, or it is unmounted */
	if (err == -EBUSY || err == -EOPNOTSUPP)
		return;
	CHECK_EQ(err, 0);
	drift(&seed);
	switch (rand_r(&seed) % 3) {
	case 0:
		return; /* with the socket open */
	case 1:
		client_close(client);
		drift(&seed);
		return;
	default:
		err = client_command(client, KFREEZE_CMD_THAW);
		/* it may be over: thawed, failed, lost */
		if (err != -EALREADY && err != -ESRCH && err != -ESTALE)
			CHECK_EQ(err, 0);
		see_the_end(client);
	}
}

static void unmount(unsigned int seed)
{
	int i;

	for (i = 0; i < DISKS; i++) {
		drift(&seed);
		if (coin(&seed))
			umount2(dirs[i], coin(&seed) ? MNT_DETACH : 0);
	}
}

/* Others who thaw: without holders the first one undoes our freeze. */
static void thaw(unsigned int seed)
{
	struct client *admin = client_new();
	struct client_result status[8];
	int fd = open(dirs[rand_r(&seed) % DISKS], O_RDONLY | O_CLOEXEC);

	drift(&seed);
	CHECK(client_status(admin, status, 8) >= 0);
	if (coin(&seed))
		ioctl(fd, FITHAW, 0);
	drift(&seed);
	if (coin(&seed))
		CHECK_EQ(client_command(admin, KFREEZE_CMD_RESCUE), 0);
}

/* Ends only if what it meets is thawed. */
static void write_much(unsigned int seed)
{
	char path[128];
	int fd, i;

	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "%s/race",
			 dirs[rand_r(&seed) % DISKS]);
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, path, sizeof(path)) < 0)
			CHECK_EQ(errno, ENOSPC);
		close(fd);
		drift(&seed);
	}
}

static void (*const acts[ACTORS])(unsigned int seed) = {
	own, own, unmount, thaw, write_much, write_much,
};

static pid_t actor_start(int actor, unsigned int seed)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	acts[actor](seed);
	exit(EXIT_SUCCESS);
}

/* True if it ended in time, and well or by being killed. */
static bool actor_ends(int actor, pid_t pid, long long until)
{
	char path[64];
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() > until) {
			printf("# actor %d does not end:\n", actor);
			snprintf(path, sizeof(path), "/proc/%d/stack", pid);
			RUN("cat", path);
			return false;
		}
		poll(NULL, 0, 5);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static bool is_mounted(const char *dir)
{
	struct stat above, below;

	return stat(dir, &above) == 0 && stat("/tmp", &below) == 0 &&
	       above.st_dev != below.st_dev;
}

static bool run_round(unsigned int seed)
{
	long long until = clock_ms() + ROUND_MS;
	pid_t pids[ACTORS];
	bool good = true;
	int i;

	for (i = 0; i < DISKS; i++) {
		dirs[i] = disk_dir(disk[i]);
		if (!is_mounted(dirs[i]))
			disk_mount(disk[i]);
	}
	for (i = 0; i < ACTORS; i++)
		pids[i] = actor_start(i, rand_r(&seed));
	drift(&seed);
	drift(&seed);
	if (coin(&seed))
		kill(pids[0], SIGKILL);
	for (i = 0; i < ACTORS; i++)
		good = actor_ends(i, pids[i], until) && good;
	for (i = 0; i < DISKS && good; i++)
		good = !is_mounted(dirs[i]) || disk_writable(dirs[i]);
	return good;
}

void ktap_teardown(void)
{
	disk_umount_all();
}

TEST_TIMEOUT(nothing_stays_frozen_whatever_happens_at_once, 3000)
{
	unsigned int nr = cycle_setting("race_rounds", ROUNDS);
	unsigned int seed, i;

	CHECK_EQ(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	seed = cycle_setting("race_seed", seed);
	printf("# race_seed=%u race_rounds=%u\n", seed, nr);
	for (i = 0; i < nr; i++) {
		if (!run_round(seed + i)) {
			printf("# round %u: to repeat it: race_seed=%u\n", i,
			       seed + i);
			exit(EXIT_FAILURE);
		}
	}
}

TEST(nothing_holds_the_module)
{
	CHECK(module_unload());
}
