// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever is sent, nothing stays frozen and the module answers. To repeat or
 * lengthen a run: fuzz_seed and fuzz_messages in the environment, which is
 * the kernel's command line.
 */
#include "cycle.h"
#include "fuzz_message.h"
#include "module.h"
#include "watch.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ktap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MESSAGES 20000
#define SECONDS 20 /* if fuzz_messages is given: as long as it takes */
#define CLIENTS 5
#define FILESYSTEMS 4
#define STATUS_MESSAGES (CLIENTS * (1 + FILESYSTEMS))
/* No freeze is longer than a second: the module is loaded with that bound. */
#define PARAMETERS "timeout_ms=20", "max_timeout_ms=1000", "min_interval_ms=0"
#define FROZEN_MS 10000 /* that, and much more for a slow machine */

static const enum disk disks[FILESYSTEMS] = {DISK_EXT4, DISK_EXT4_2, DISK_XFS,
					     DISK_VFAT};

TEST(watch_sees_a_frozen_filesystem)
{
	struct watch *watch = watch_start(disks, FILESYSTEMS);
	int fd = open(disk_dir(DISK_XFS), O_RDONLY | O_CLOEXEC);
	long long until = clock_ms() + 10000;
	const char *frozen = NULL;

	CHECK_EQ(ioctl(fd, FIFREEZE, 0), 0);
	while (!frozen && clock_ms() < until) {
		poll(NULL, 0, 10);
		frozen = watch_frozen(watch, 2000);
	}
	CHECK_EQ(ioctl(fd, FITHAW, 0), 0);
	CHECK_STREQ(frozen, disk_dir(DISK_XFS));
	watch_stop(watch);
}

/* What came back, and how often. */
struct tally {
	unsigned long errors[4096]; /* by errno; 0: done */
	unsigned long frozen, over; /* RESULTs */
};

static void take_result(const struct nlmsghdr *hdr, struct tally *tally)
{
	const struct nlattr *attr = NLMSG_DATA(hdr) + GENL_HDRLEN;
	int left = hdr->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	uint32_t state;

	for (; left >= NLA_HDRLEN;
	     left -= NLA_ALIGN(attr->nla_len),
	     attr = (const void *)attr + NLA_ALIGN(attr->nla_len)) {
		if (attr->nla_type != KFREEZE_A_STATE)
			continue;
		memcpy(&state, attr + 1, sizeof(state));
		tally->frozen += state == KFREEZE_STATE_FROZEN;
		tally->over += state == KFREEZE_STATE_IDLE;
	}
}

/* Errors that only the module gives: it must say why. */
static bool is_explained(int err)
{
	static const int errors[] = {EBADF, EEXIST,   E2BIG, ERANGE,
				     ESRCH, EALREADY, ESTALE};
	size_t i;

	for (i = 0; i < COUNT(errors); i++)
		if (err == -errors[i])
			return true;
	return false;
}

static void take_answer(const struct nlmsghdr *hdr, struct tally *tally)
{
	const struct genlmsghdr *genl = NLMSG_DATA(hdr);
	const struct nlmsgerr *error = NLMSG_DATA(hdr);

	if (hdr->nlmsg_type == NLMSG_ERROR) {
		CHECK(error->error <= 0 && error->error > -4096);
		if (is_explained(error->error))
			CHECK(hdr->nlmsg_flags & NLM_F_ACK_TLVS);
		tally->errors[-error->error]++;
	} else if (hdr->nlmsg_type >= NLMSG_MIN_TYPE && hdr->nlmsg_seq == 0 &&
		   genl->cmd == KFREEZE_CMD_RESULT) {
		take_result(hdr, tally);
	}
}

/* All that is there. What does not fit into the socket's buffer is lost. */
static void drain(struct client *client, struct tally *tally)
{
	static char buffer[65536] __attribute__((aligned(8)));
	struct nlmsghdr *hdr;
	ssize_t len;

	for (;;) {
		len = recv(client_fd(client), buffer, sizeof(buffer),
			   MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len < 0)
			break;
		for (hdr = (struct nlmsghdr *)buffer; NLMSG_OK(hdr, len);
		     hdr = NLMSG_NEXT(hdr, len))
			take_answer(hdr, tally);
	}
	CHECK_EQ(errno, EAGAIN);
}

static struct client *new_client(void)
{
	struct client *client = client_new();
	int on = 1;

	/* answers do not repeat the question: it is long */
	CHECK_EQ(setsockopt(client_fd(client), SOL_NETLINK, NETLINK_CAP_ACK,
			    &on, sizeof(on)),
		 0);
	return client;
}

/* Descriptors of filesystems, then of what cannot be frozen. */
static uint32_t open_all(int fds[])
{
	uint32_t nr = 0;
	int ends[2];

	while (nr < FILESYSTEMS) {
		fds[nr] = disk_open(disk_dir(disks[nr]));
		nr++;
	}
	CHECK_EQ(pipe(ends), 0);
	fds[nr++] = ends[0];
	fds[nr++] = disk_open("/tmp");
	fds[nr++] = disk_open("/proc");
	fds[nr++] = disk_open("/");
	fds[nr++] = open(disk_device(DISK_EXT4), O_RDONLY);
	fds[nr++] = open("/tmp/ext4/watch", O_RDWR);
	fds[nr++] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[nr++] = 9999;
	fds[nr++] = -1;
	fds[nr++] = INT32_MIN;
	return nr;
}

static void send_message(struct client *client, const struct fuzz_message *msg)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	CHECK_EQ(sendto(client_fd(client), msg->data, msg->len, 0,
			(const struct sockaddr *)&kernel, sizeof(kernel)),
		 msg->len);
}

static void check_health(struct client *admin, const struct watch *watch)
{
	const char *frozen = watch_frozen(watch, FROZEN_MS);

	CHECK_EQ(client_command(admin, KFREEZE_CMD_INFO), 0);
	if (frozen)
		printf("# %s does not take a byte\n", frozen);
	CHECK(!frozen);
}

/* All cycles end by themselves: nobody is asked to. */
static bool becomes_idle(struct client *admin)
{
	static struct client_result status[STATUS_MESSAGES];
	long long until = clock_ms() + FROZEN_MS;
	bool busy = true;
	int nr, i;

	while (busy && clock_ms() < until) {
		nr = client_status(admin, status, STATUS_MESSAGES);
		CHECK(nr >= 0);
		/* more than clients have: sessions are still being closed */
		busy = nr > STATUS_MESSAGES;
		for (i = 0; i < nr && !busy; i++)
			busy = !status[i].target.present &&
			       status[i].state != KFREEZE_STATE_IDLE;
		poll(NULL, 0, 10);
	}
	return !busy;
}

/* Owners come and go, at any moment of a cycle. */
static void replace(struct client **client, bool owner)
{
	if (*client)
		client_close(*client);
	*client = new_client();
	if (owner)
		CHECK_EQ(client_command(*client, KFREEZE_CMD_OPEN), 0);
}

/* The number of messages sent. */
static unsigned long run_fuzz(struct fuzz *fuzz, unsigned long messages,
			      long long until, struct tally *tally)
{
	static struct fuzz_message msg;
	struct client *clients[CLIENTS] = {0}, *admin = client_new();
	struct watch *watch = watch_start(disks, FILESYSTEMS);
	unsigned long nr;
	uint32_t i;
	int fds[32];

	fuzz->family = admin->family;
	fuzz->fds = fds;
	fuzz->nr_fds = open_all(fds);
	fuzz->nr_filesystems = FILESYSTEMS;
	for (i = 0; i < CLIENTS; i++)
		replace(&clients[i], i > 0);
	for (nr = 0; nr < messages && clock_ms() < until; nr++) {
		i = fuzz_below(fuzz, CLIENTS);
		fuzz_message(fuzz, &msg, nr + 1);
		send_message(clients[i], &msg);
		drain(clients[i], tally);
		if (fuzz_below(fuzz, 1000) == 0)
			replace(&clients[i], i > 0);
		if (nr % 100 == 0)
			check_health(admin, watch);
		if (nr % 100000 == 99999)
			printf("# %lu messages\n", nr + 1);
	}
	CHECK(becomes_idle(admin));
	check_health(admin, watch);
	for (i = 0; i < CLIENTS; i++)
		client_close(clients[i]);
	watch_stop(watch);
	printf("# the longest write took %lld ms\n", watch_longest(watch));
	return nr;
}

/* A fuzzer that reaches nothing finds nothing; a short run may miss some. */
static void check_reach(const struct tally *tally, unsigned long messages)
{
	static const int often[] = {0,	    EBADF,  EBUSY,
				    EINVAL, ERANGE, EOPNOTSUPP};
	static const int seldom[] = {EPERM, E2BIG, EEXIST, ESRCH};
	size_t i;

	printf("# %lu times frozen, %lu cycles\n", tally->frozen, tally->over);
	for (i = 0; i < COUNT(tally->errors); i++)
		if (tally->errors[i])
			printf("# %8lu %s\n", tally->errors[i], strerror(i));
	for (i = 0; i < COUNT(often); i++)
		CHECK(tally->errors[often[i]]);
	for (i = 0; i < COUNT(seldom) && messages >= MESSAGES; i++)
		CHECK(tally->errors[seldom[i]]);
	CHECK(tally->frozen && tally->over > tally->frozen);
}

static void load_with_short_limits(void)
{
	CHECK(module_unload());
	CHECK_EQ(RUN("insmod", "/lib/modules/kfreeze.ko", PARAMETERS), 0);
}

TEST_TIMEOUT(nothing_stays_frozen_whatever_is_sent, 3600)
{
	static struct tally tally;
	unsigned long messages = cycle_setting("fuzz_messages", MESSAGES);
	long long start = clock_ms(), until = start + SECONDS * 1000;
	struct fuzz fuzz;
	uint32_t seed;
	int i;

	CHECK_EQ(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	seed = cycle_setting("fuzz_seed", seed);
	printf("# fuzz_seed=%u fuzz_messages=%lu\n", seed, messages);
	fuzz.state = seed + 1ULL;
	if (getenv("fuzz_messages"))
		until = INT64_MAX;
	load_with_short_limits();
	messages = run_fuzz(&fuzz, messages, until, &tally);
	printf("# %lu messages in %lld s\n", messages,
	       (clock_ms() - start) / 1000);
	for (i = 0; i < FILESYSTEMS; i++)
		CHECK(disk_writable(disk_dir(disks[i])));
	CHECK_EQ(client_command(client_new(), KFREEZE_CMD_INFO), 0);
	check_reach(&tally, messages);
}

void ktap_teardown(void)
{
	disk_umount_all();
}

TEST(nothing_is_held)
{
	int i;

	CHECK(module_unload());
	for (i = 0; i < FILESYSTEMS; i++)
		CHECK(open(disk_device(disks[i]), O_RDONLY | O_EXCL) >= 0);
}
