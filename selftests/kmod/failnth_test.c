// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation that a request makes fails once, the first in the first
 * run, the second in the second. A request that fails did nothing. And what
 * thaws must do without any.
 */
#include "cycle.h"
#include "module.h"

#include <fcntl.h>
#include <limits.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <unistd.h>

#include "ktap.h"

#define DISKS 2
#define NTH_MAX 1000 /* no request comes near */
#define PATIENCE_S 600

/*
 * Order of the pages that may fail. Those of the slab allocator are asked for
 * now and then only: counted, they would shift all allocations after them, and
 * one that comes first in one run and second in the next would never fail.
 */
#define ABOVE_SLABS "4"

static const char *dirs[DISKS];

/* One request during which one allocation failed. */
struct attempt {
	bool injected; /* false: it made fewer allocations */
	bool taken; /* the kernel has got the message */
	int err; /* of the answer, -ENOBUFS: which was lost */
};

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

/* By default only allocations that cannot wait fail. In the parent. */
void ktap_setup(void)
{
	static const char *const settings[][2] = {
		{"failslab/ignore-gfp-wait", "N"},
		{"failslab/verbose", "0"},
		{"failslab/require-start", "0"},
		{"failslab/require-end", "0xffffffffffffffff"},
		{"fail_page_alloc/ignore-gfp-wait", "N"},
		{"fail_page_alloc/ignore-gfp-highmem", "N"},
		{"fail_page_alloc/min-order", ABOVE_SLABS},
		{"fail_page_alloc/verbose", "0"},
		{"fail_page_alloc/require-start", "0"},
		{"fail_page_alloc/require-end", "0xffffffffffffffff"},
	};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s",
			 settings[i][0]);
		put(path, settings[i][1]);
	}
}

void ktap_teardown(void)
{
	put("/sys/kernel/debug/failslab/probability", "0");
	put("/sys/kernel/debug/fail_page_alloc/probability", "0");
	disk_umount_all();
}

/* The file in which a thread says which of its allocations is to fail. */
static int fault_open(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		SKIP("this kernel has no fault injection");
	return fd;
}

static void fault_set(int fd, int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", nth);

	CHECK_EQ(pwrite(fd, text, len, 0), len);
}

/* How many allocations are still to succeed before one fails; 0: it did. */
static int fault_left(int fd)
{
	char text[16] = "";

	CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
	return atoi(text);
}

static struct attempt try(struct client *client, struct nl_msg *msg, int fault,
			  int nth)
{
	struct attempt attempt = {0};
	uint32_t seq;

	fault_set(fault, nth);
	attempt.taken = client_post(client, msg, &seq) == 0;
	attempt.injected = fault_left(fault) == 0;
	fault_set(fault, 0);
	if (attempt.taken)
		attempt.err = client_answer(client, seq);
	if (attempt.err && attempt.err != -ENOBUFS)
		CHECK_EQ(attempt.err, -ENOMEM);
	return attempt;
}

static void mount_disks(void)
{
	dirs[0] = disk_mount(DISK_EXT4);
	dirs[1] = disk_mount(DISK_XFS);
}

static void check_all_writable(void)
{
	int i;

	for (i = 0; i < DISKS; i++)
		CHECK(disk_writable(dirs[i]));
}

static struct attempt try_open(int fault, int nth)
{
	struct client *client = client_new();
	struct attempt attempt;
	int err;

	attempt = try(client, client_message(client, KFREEZE_CMD_OPEN), fault,
		      nth);
	err = client_command(client, KFREEZE_CMD_OPEN);
	if (attempt.taken && attempt.err == 0)
		CHECK_EQ(err, -EBUSY);
	else if (err != -EBUSY || attempt.err != -ENOBUFS)
		CHECK_EQ(err, 0);
	client_close(client);
	return attempt;
}

static uint32_t state_of(struct client *client)
{
	struct client_result status;

	CHECK(client_status(client, &status, 1) >= 1);
	return status.state;
}

static void thaw(struct client *client)
{
	struct client_result result = cycle_thaw(client);

	CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
	CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
}

static struct attempt try_freeze(int fault, int nth)
{
	struct client_request request = {.nr = DISKS, .timeout_ms = 60000};
	struct client *client = client_open();
	struct attempt attempt;
	int fds[DISKS], i;

	for (i = 0; i < DISKS; i++)
		fds[i] = disk_open(dirs[i]);
	request.fds = fds;
	attempt = try(client, client_freeze_message(client, &request), fault,
		      nth);
	for (i = 0; i < DISKS; i++)
		close(fds[i]);
	if (state_of(client) == KFREEZE_STATE_IDLE) {
		CHECK(!attempt.taken || attempt.err);
	} else {
		CHECK(attempt.taken && attempt.err != -ENOMEM);
		CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
		thaw(client);
	}
	check_all_writable();
	client_close(client);
	return attempt;
}

/* No allocation of ours keeps a thaw: what fails is netlink's own. */
static struct attempt try_thaw(int fault, int nth)
{
	struct client *client = client_open();
	struct client_result result;
	struct attempt attempt;

	cycle_freeze(client, dirs, DISKS, 60000);
	attempt = try(client, client_message(client, KFREEZE_CMD_THAW), fault,
		      nth);
	if (state_of(client) == KFREEZE_STATE_FROZEN) {
		CHECK(!attempt.taken || attempt.err == -ENOMEM);
		thaw(client);
	} else {
		result = cycle_result(client);
		CHECK_EQ(result.state, KFREEZE_STATE_IDLE);
		CHECK_EQ(result.verdict, KFREEZE_VERDICT_OK);
	}
	check_all_writable();
	client_close(client);
	return attempt;
}

/* Each try is a session of its own, which does not wait for the last one. */
static void load_without_interval(void)
{
	CHECK(module_unload());
	CHECK_EQ(RUN("insmod", "/lib/modules/kfreeze.ko", "min_interval_ms=0"),
		 0);
}

static void fail_every_allocation(struct attempt (*try_once)(int fault, int nth))
{
	int fault = fault_open();
	int nth, nr_failed = 0;
	struct attempt attempt;

	load_without_interval();
	mount_disks();
	for (nth = 1; nth < NTH_MAX; nth++) {
		attempt = try_once(fault, nth);
		if (!attempt.injected)
			break;
		nr_failed += !attempt.taken || attempt.err;
	}
	printf("# %d allocations, %d of them failed the request\n", nth - 1,
	       nr_failed);
	CHECK(nth > 1 && nth < NTH_MAX);
	CHECK(nr_failed > 0);
	CHECK(attempt.taken);
	CHECK_EQ(attempt.err, 0);
}

TEST_TIMEOUT(open_without_memory_opens_nothing, PATIENCE_S)
{
	fail_every_allocation(try_open);
}

TEST_TIMEOUT(freeze_without_memory_freezes_nothing, PATIENCE_S)
{
	fail_every_allocation(try_freeze);
}

TEST_TIMEOUT(thaw_needs_no_memory_of_ours, PATIENCE_S)
{
	fail_every_allocation(try_thaw);
}

/* Where the module's code lies. */
static void find_code(unsigned long *first, unsigned long *last)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long address;
	char line[256], type;

	*first = ULONG_MAX;
	*last = 0;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[kfreeze]") ||
		    sscanf(line, "%lx %c", &address, &type) != 2 ||
		    (type != 't' && type != 'T'))
			continue;
		*first = address < *first ? address : *first;
		*last = address > *last ? address : *last;
	}
	fclose(f);
	CHECK(*first < *last);
}

/* All allocations fail that are made, however deep, by the module's code. */
static void starve(bool on)
{
	static const char *const kinds[] = {"failslab", "fail_page_alloc"};
	unsigned long first = 0, last = 0;
	char command[512];
	size_t i;

	if (on)
		find_code(&first, &last);
	CHECK(put("/sys/kernel/debug/fail_page_alloc/min-order",
		  on ? "0" : ABOVE_SLABS));
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(command, sizeof(command),
			 "cd /sys/kernel/debug/%s && echo 0 >probability && "
			 "echo 0x%lx >require-start && "
			 "echo 0x%lx >require-end && echo -1 >times && "
			 "echo 1 >interval && echo %d >probability",
			 kinds[i], first, last + 1, on ? 100 : 0);
		CHECK_EQ(RUN("sh", "-c", command), 0);
	}
}

/* The cycle that @client has frozen ends well, without any memory. */
static void check_starved_end(struct client *client, enum kfreeze_cause cause)
{
	struct client_result result = cycle_result(client);

	CHECK_EQ(result.cause, cause);
	CHECK_EQ(result.nr_stuck, 0);
	CHECK_EQ(result.error, 0);
	CHECK_EQ(result.nr_frozen, DISKS);
	check_all_writable();
}

/* Of the works, too; the last request proves that there was no memory. */
TEST_TIMEOUT(thaw_needs_no_memory_at_all, 60)
{
	struct client *client = client_open(), *admin = client_new();

	close(fault_open());
	mount_disks();
	cycle_freeze(client, dirs, DISKS, 1000);
	starve(true);
	check_starved_end(client, KFREEZE_CAUSE_DEADLINE);
	starve(false);
	cycle_freeze(client, dirs, DISKS, 60000);
	starve(true);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	check_starved_end(client, KFREEZE_CAUSE_THAW);
	starve(false);
	cycle_freeze(client, dirs, DISKS, 60000);
	starve(true);
	CHECK_EQ(client_command(admin, KFREEZE_CMD_RESCUE), 0);
	check_starved_end(client, KFREEZE_CAUSE_RESCUE);
	CHECK_EQ(cycle_request(client, dirs, DISKS, 60000), -ENOMEM);
	starve(false);
}

TEST(nothing_holds_the_module)
{
	CHECK(module_unload());
}
