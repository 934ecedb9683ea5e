// SPDX-License-Identifier: GPL-2.0
/* The stream to the host: clients of a socket, and a terminal as the port. */
/* link: channel channel_device channel_listener log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "channel.h"
#include "log.h"

#define PATIENCE_MS 5000

static struct channel *channel;
static char directory[] = "/tmp/channel_test.XXXXXX";
static char path[64];
static char got[4 << 20];
static size_t got_len;
static int nr_detached, nr_closed, nr_dispatched;
static const char *answer; /* to everything that is received */

static void received(void *data, const char *bytes, size_t len)
{
	(void)data;
	CHECK(got_len + len < sizeof(got));
	memcpy(got + got_len, bytes, len);
	got_len += len;
	got[got_len] = '\0';
	if (answer)
		channel_send(channel, answer, strlen(answer));
}

static void detached(void *data, bool closed)
{
	(void)data;
	nr_detached++;
	nr_closed += closed;
}

static const struct channel_ops ops = {received, detached};

static int open_channel(enum config_method method, bool wait)
{
	const struct channel_address address = {
		.method = method,
		.path = path,
		.listener = -1,
		.wait = wait,
	};

	return channel_open(&address, &ops, NULL, &channel);
}

static void setup(void)
{
	signal(SIGPIPE, SIG_IGN);
	CHECK(mkdtemp(directory) != NULL);
	snprintf(path, sizeof(path), "%s/port", directory);
	CHECK_EQ(log_init("test", "/dev/null", false), 0);
}

static void teardown(void)
{
	channel_close(channel);
	unlink(path);
	CHECK_EQ(rmdir(directory), 0);
}

/* False when nothing has happened in time. */
static bool dispatch(int timeout_ms)
{
	struct pollfd p = {.fd = channel_fd(channel), .events = POLLIN};

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	channel_dispatch(channel);
	nr_dispatched++;
	return true;
}

static void dispatch_all(void)
{
	while (dispatch(0))
		;
}

static void dispatch_until_got(const char *text)
{
	while (strcmp(got, text))
		CHECK(dispatch(PATIENCE_MS));
}

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
}

static void check_gets(int fd, const char *text)
{
	char bytes[4096];
	ssize_t len = read(fd, bytes, sizeof(bytes) - 1);

	CHECK(len >= 0);
	bytes[len] = '\0';
	CHECK_STREQ(bytes, text);
}

TEST(client_of_a_socket)
{
	struct stat st;
	int fd;

	setup();
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	fd = connect_client();
	put(fd, "ab");
	dispatch_until_got("ab");
	channel_send(channel, "cd\n", 3);
	check_gets(fd, "cd\n");
	CHECK_EQ(nr_detached, 0);
	close(fd);
	dispatch_all();
	CHECK_EQ(nr_detached, 1);
	CHECK_EQ(nr_closed, 1);
	teardown();
}

TEST(one_client_at_a_time)
{
	int first, second;

	setup();
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	first = connect_client();
	second = connect_client();
	put(second, "two");
	put(first, "one");
	dispatch_until_got("one");
	dispatch_all();
	CHECK_STREQ(got, "one");
	close(first);
	dispatch_until_got("onetwo");
	CHECK_EQ(nr_detached, 1);
	channel_send(channel, "x", 1);
	check_gets(second, "x");
	close(second);
	dispatch_all();
	teardown();
}

TEST(reply_to_nobody_is_dropped)
{
	int fd;

	setup();
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	channel_send(channel, "lost", 4);
	fd = connect_client();
	put(fd, "a");
	dispatch_until_got("a");
	channel_send(channel, "kept", 4);
	check_gets(fd, "kept");
	teardown();
	close(fd);
}

TEST(client_gone_before_its_reply)
{
	int fd;

	setup();
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	fd = connect_client();
	put(fd, "a");
	dispatch_until_got("a");
	close(fd);
	channel_send(channel, "b", 1);
	dispatch_all();
	CHECK_EQ(nr_detached, 1);
	fd = connect_client();
	put(fd, "c");
	dispatch_until_got("ac");
	CHECK_EQ(read(fd, got, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	teardown();
	close(fd);
}

/* Nothing more is read before what was answered has left: memory is bounded by
 * the host's own patience. */
TEST(host_that_never_reads)
{
	static char line[1024], replies[1 << 16];
	size_t put_len = 0;
	ssize_t len;
	int fd;

	setup();
	memset(line, 'y', sizeof(line) - 1);
	answer = line;
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	fd = connect_client();
	/* a reply of 1023 bytes for up to 4096 of request */
	while ((len = write(fd, line, sizeof(line) - 1)) > 0) {
		put_len += len;
		got_len = 0;
		dispatch_all();
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK(put_len < 4 << 20);
	CHECK(!dispatch(0));
	/* it reads after all: everything is answered, and it is served again */
	while (read(fd, replies, sizeof(replies)) > 0 || dispatch(0))
		got_len = 0;
	answer = NULL;
	got_len = 0;
	put(fd, "again");
	dispatch_until_got("again");
	close(fd);
	dispatch_all();
	CHECK_EQ(nr_detached, 1);
	teardown();
}

/* What a host has half of it gets the rest of; what it has nothing of is for
 * the one before it. */
TEST(greeting_drops_whole_lines_only)
{
	static char line[4 << 20], heard[8 << 20];
	size_t heard_len = 0;
	ssize_t len;
	int fd;

	setup();
	memset(line, 'y', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	fd = connect_client();
	put(fd, "a");
	dispatch_until_got("a");
	channel_send(channel, line, sizeof(line));
	channel_send(channel, "old\n", 4);
	channel_greet(channel);
	channel_send(channel, "new\n", 4);
	do {
		len = read(fd, heard + heard_len, sizeof(heard) - heard_len);
		heard_len += len > 0 ? len : 0;
	} while (len > 0 || dispatch(0));
	CHECK_EQ(heard_len, sizeof(line) + 4);
	CHECK(!memcmp(heard, line, sizeof(line)));
	CHECK_STREQ(heard + sizeof(line), "new\n");
	close(fd);
	dispatch_all();
	teardown();
}

TEST(stale_socket_is_replaced_a_live_one_is_not)
{
	struct channel *first;

	setup();
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	first = channel;
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), -EADDRINUSE);
	channel_close(first);
	CHECK_EQ(open_channel(CONFIG_UNIX_LISTEN, false), 0);
	teardown();
}

static int open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	CHECK(fd >= 0);
	CHECK_EQ(grantpt(fd), 0);
	CHECK_EQ(unlockpt(fd), 0);
	unlink(path);
	CHECK_EQ(symlink(ptsname(fd), path), 0);
	return fd;
}

TEST(serial_line_is_raw)
{
	int fd;

	setup();
	fd = open_terminal();
	CHECK_EQ(open_channel(CONFIG_ISA_SERIAL, false), 0);
	put(fd, "a\r\x03\x04\x7f\xff");
	dispatch_until_got("a\r\x03\x04\x7f\xff");
	channel_send(channel, "b\n", 2);
	check_gets(fd, "b\n");
	close(fd);
	teardown();
}

TEST(lost_device_is_opened_again)
{
	int fd;

	setup();
	fd = open_terminal();
	CHECK_EQ(open_channel(CONFIG_ISA_SERIAL, false), 0);
	put(fd, "a");
	dispatch_until_got("a");
	close(fd);
	CHECK(dispatch(PATIENCE_MS));
	CHECK_EQ(nr_detached, 1);
	fd = open_terminal();
	CHECK(dispatch(PATIENCE_MS));
	put(fd, "b");
	dispatch_until_got("ab");
	close(fd);
	teardown();
}

TEST(lost_device_waits_while_held)
{
	int fd;

	setup();
	fd = open_terminal();
	CHECK_EQ(open_channel(CONFIG_ISA_SERIAL, false), 0);
	channel_hold(channel, true);
	close(fd);
	CHECK(dispatch(PATIENCE_MS));
	fd = open_terminal();
	/* the timer of the next attempt, and the one after it */
	CHECK(dispatch(PATIENCE_MS));
	put(fd, "a\n");
	CHECK(dispatch(PATIENCE_MS));
	CHECK_STREQ(got, "");
	channel_hold(channel, false);
	CHECK(dispatch(PATIENCE_MS));
	put(fd, "b");
	dispatch_until_got("b");
	close(fd);
	teardown();
}

TEST(missing_device)
{
	int fd;

	setup();
	CHECK_EQ(open_channel(CONFIG_VIRTIO_SERIAL, false), -ENOENT);
	CHECK_EQ(open_channel(CONFIG_VIRTIO_SERIAL, true), 0);
	fd = open_terminal();
	put(fd, "a\n");
	dispatch_until_got("a\n");
	close(fd);
	teardown();
}

/*
 * A terminal that was hung up is, like a port without host, at its end for as
 * long as that lasts. It must wake us once, not all the time.
 */
static void check_hang_up(bool greeted)
{
	int fd, terminal;

	setup();
	fd = open_terminal();
	CHECK_EQ(open_channel(CONFIG_VIRTIO_SERIAL, false), 0);
	put(fd, "a\n");
	dispatch_until_got("a\n");
	if (greeted)
		channel_greet(channel);
	terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(terminal >= 0);
	if (ioctl(terminal, TIOCVHANGUP) && errno == EPERM)
		SKIP("hanging up a terminal needs CAP_SYS_ADMIN");
	nr_dispatched = 0;
	while (dispatch(0))
		CHECK(nr_dispatched <= 3);
	CHECK(nr_dispatched >= 1);
	CHECK_EQ(nr_detached, !greeted);
	CHECK_EQ(nr_closed, 0); /* its next host may have been heard */
	close(terminal);
	close(fd);
	teardown();
}

TEST(port_without_host_is_quiet)
{
	check_hang_up(false);
}

TEST(host_outlives_the_close_of_the_one_before)
{
	check_hang_up(true);
}

TEST(vsock_address_is_checked)
{
	setup();
	strcpy(path, "3:x");
	CHECK_EQ(open_channel(CONFIG_VSOCK_LISTEN, false), -EINVAL);
	strcpy(path, "3");
	CHECK_EQ(open_channel(CONFIG_VSOCK_LISTEN, false), -EINVAL);
	CHECK_EQ(rmdir(directory), 0);
}
