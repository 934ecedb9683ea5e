// SPDX-License-Identifier: GPL-2.0
/* No memory and hardly any swap: it freezes, and above all it thaws. */
#include "cycle.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define SWAP "/tmp/ext4_4/swap"
#define SWAP_SIZE (128 << 20) /* more than others leave in it */
/*
 * So much of it is left free. A page on its way there or back has a place in
 * both: there can be many, and the OOM killer waits for none.
 */
#define SWAP_FULL_KB (32 << 10)
#define SWAP_LAST_KB (16 << 10)
#define FIGHT_KB (128 << 10) /* of memory, to be fought for */
/* The kernel fights for it when that is left. */
#define MIN_FREE "/proc/sys/vm/min_free_kbytes"
#define MIN_FREE_KB "8192"
#define HUGE_KB 2048
#define PATIENCE_S 60
#define FILL_S 20 /* a fill takes a few */
#define HOG_SIZE (512 << 20)
#define HOG_STEP (256 << 10)

static const enum disk disk[] = {DISK_EXT4, DISK_XFS, DISK_BTRFS};
#define DISKS ((int)(sizeof(disk) / sizeof(disk[0])))
static const char *dirs[DISKS];
static char min_free[32]; /* what was there */
static volatile sig_atomic_t greedy;

/* The number in the line of a file that begins with name. */
static long number_in(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[128];
	long number = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			number = strtol(line + strlen(name), NULL, 10);
	fclose(f);
	CHECK(number >= 0);
	return number;
}

/* In KiB. */
static long meminfo(const char *name)
{
	return number_in("/proc/meminfo", name);
}

/*
 * Pages that nobody uses and nobody else can have: taken in a second, but at
 * times an emulator needs up to a minute, which is no test's time.
 */
static void set_huge_pages(long nr)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", nr);
	CHECK_EQ(file_write("/proc/sys/vm/nr_hugepages", text), 0);
}

void ktap_setup(void)
{
	file_read(MIN_FREE, min_free, sizeof(min_free));
	CHECK_EQ(file_write(MIN_FREE, MIN_FREE_KB), 0);
	set_huge_pages((meminfo("MemAvailable:") - FIGHT_KB) / HUGE_KB);
	printf("# %ld huge pages leave %ld KiB\n", meminfo("HugePages_Total:"),
	       meminfo("MemAvailable:"));
}

void ktap_teardown(void)
{
	set_huge_pages(0);
	swapoff(SWAP);
	CHECK_EQ(file_write(MIN_FREE, min_free), 0);
	disk_umount_all();
}

/* Somebody needed memory that another one then had to read back. */
static void wait_for_swapping(void)
{
	long before = number_in("/proc/vmstat", "pswpin ");

	while (number_in("/proc/vmstat", "pswpin ") == before)
		sched_yield();
}

static void swap_on(void)
{
	disk_mount(DISK_EXT4_4);
	disk_dirty(disk_dir(DISK_EXT4_4), "swap", SWAP_SIZE);
	CHECK_EQ(RUN("mkswap", SWAP), 0);
	CHECK_EQ(swapon(SWAP, 0), 0);
	CHECK(meminfo("SwapTotal:") > SWAP_SIZE / 1024 / 2);
}

static void use(volatile char *memory, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += 4096)
		memory[at]++;
}

static void give_back(volatile char *memory, size_t size)
{
	CHECK_EQ(madvise((void *)memory, size, MADV_DONTNEED), 0);
}

static void be_greedy(int signal)
{
	(void)signal;
	greedy = 1;
}

/*
 * Takes what there is, says so, and goes on using all of it; but for the last
 * of the swap, until it is told to take that too.
 */
static _Noreturn void hog(int full)
{
	volatile char *memory = mmap(NULL, HOG_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t size = 0, at = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGUSR1, be_greedy);
	CHECK_EQ(file_write("/proc/self/oom_score_adj", "1000"), 0);
	CHECK(memory != MAP_FAILED);
	for (; meminfo("SwapFree:") > SWAP_FULL_KB; size += HOG_STEP) {
		CHECK(size < HOG_SIZE);
		use(memory + size, HOG_STEP);
	}
	CHECK_EQ(write(full, "x", 1), 1);
	for (; !greedy; at = at + HOG_STEP < size ? at + HOG_STEP : 0) {
		use(memory + at, HOG_STEP);
		if (meminfo("SwapFree:") < SWAP_LAST_KB && size > HOG_STEP) {
			size -= HOG_STEP;
			give_back(memory + size, HOG_STEP);
		}
	}
	for (; size < HOG_SIZE; size += HOG_STEP)
		use(memory + size, HOG_STEP);
	exit(EXIT_FAILURE);
}

/* What can be read from @said comes when it has filled the memory. */
static pid_t start_hog(int *said)
{
	int full[2];
	pid_t pid;

	CHECK_EQ(pipe2(full, O_CLOEXEC), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		hog(full[1]);
	close(full[1]);
	*said = full[0];
	return pid;
}

/* False if that takes too long, and says what the kernel was doing. */
static bool wait_full(int said)
{
	struct pollfd p = {.fd = said, .events = POLLIN};
	long scanned = number_in("/proc/vmstat", "pgscan_direct ");
	long stolen = number_in("/proc/vmstat", "pgsteal_direct ");
	long written = number_in("/proc/vmstat", "pswpout ");
	char byte;

	if (poll(&p, 1, FILL_S * 1000) == 1) {
		CHECK_EQ(read(said, &byte, 1), 1);
		return true;
	}
	printf("# not full after %d s: %ld KiB of memory and %ld of swap free, "
	       "pages scanned %ld, reclaimed %ld, written %ld\n",
	       FILL_S, meminfo("MemFree:"), meminfo("SwapFree:"),
	       number_in("/proc/vmstat", "pgscan_direct ") - scanned,
	       number_in("/proc/vmstat", "pgsteal_direct ") - stolen,
	       number_in("/proc/vmstat", "pswpout ") - written);
	return false;
}

/*
 * Seldom a hog is seen to run, and to get nowhere for a minute, where the next
 * one is done in seconds. Nothing is frozen yet: another one has a try.
 */
static pid_t fill_memory(void)
{
	pid_t pid;
	bool full;
	int said;

	for (;;) {
		pid = start_hog(&said);
		full = wait_full(said);
		close(said);
		if (full)
			return pid;
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
	}
}

static void start(struct client **client)
{
	int i;

	*client = client_open();
	for (i = 0; i < DISKS; i++)
		dirs[i] = disk_mount(disk[i]);
	swap_on();
	CHECK_EQ(file_write("/proc/self/oom_score_adj", "-1000"), 0);
	CHECK_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
}

static void check_writable(void)
{
	int i;

	for (i = 0; i < DISKS; i++)
		CHECK(disk_writable(dirs[i]));
}

/* It was there all the time: nobody had to kill it to get on. */
static void stop(pid_t pid)
{
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	check_writable();
}

TEST_TIMEOUT(deadline_thaws_without_memory, PATIENCE_S)
{
	struct client_result result;
	struct client *client;
	pid_t pid;

	start(&client);
	pid = fill_memory();
	cycle_freeze(client, dirs, DISKS, 2000);
	wait_for_swapping();
	result = cycle_result(client);
	CHECK_EQ(result.cause, KFREEZE_CAUSE_DEADLINE);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK(result.hold_ns >= 2000000000);
	CHECK(result.hold_ns < 4000000000);
	stop(pid);
}

TEST_TIMEOUT(freezes_and_thaws_without_memory, PATIENCE_S)
{
	struct client_result result;
	struct client *client;
	pid_t pid;

	start(&client);
	pid = fill_memory();
	cycle_freeze(client, dirs, DISKS, 20000);
	wait_for_swapping();
	result = cycle_thaw(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_frozen, DISKS);
	stop(pid);
}

TEST_TIMEOUT(stays_frozen_when_memory_is_over, PATIENCE_S)
{
	struct client_result result;
	struct client *client;
	int status;
	pid_t pid;

	start(&client);
	pid = fill_memory();
	cycle_freeze(client, dirs, DISKS, 20000);
	kill(pid, SIGUSR1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	result = cycle_thaw(client);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	CHECK_EQ(result.nr_frozen, DISKS);
	check_writable();
}
