// SPDX-License-Identifier: GPL-2.0
/*
 * One stream to the host: a port that is opened, or a client that is
 * accepted, one at a time. A lost stream is opened or awaited again.
 */
#include "channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "channel_device.h"
#include "channel_listener.h"
#include "log.h"

#define READ_SIZE 4096
/* In one dispatch; then others get their turn. */
#define READS_MAX 16
#define REOPEN_MS 1000
/*
 * Of a port's close and opening a kernel worker tells when it gets to it; its
 * data does not wait. A close so soon after a hello is that of the host before,
 * if the opening follows at once.
 */
#define OLD_NEWS_S 5
#define AT_ONCE_S 1

struct channel {
	struct channel_address address;
	const struct channel_ops *ops;
	void *data;
	int epoll, timer;
	int listener; /* -1: a device */
	int stream; /* -1: none */
	uint32_t watched; /* events the stream is polled for; 0: not added */
	bool attached; /* somebody has been heard since the last detach */
	bool held;
	char *out; /* not written yet */
	size_t out_len, out_size;
	bool mid_line; /* the line it starts in was begun before */
	time_t greeted; /* when a host said hello to a port; 0: none has */
	time_t closed; /* since when it seems to be, by old news; 0: it does not */
};

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool is_port(const struct channel *channel)
{
	return channel->listener < 0 &&
	       channel->address.method == CONFIG_VIRTIO_SERIAL;
}

/* If the port seems closed now, its host is there all the same. */
static bool is_greeted_lately(const struct channel *channel)
{
	return channel->greeted && now_s() - channel->greeted <= OLD_NEWS_S;
}

/*
 * A virtio port whose host side is closed is readable (end of file) and hung
 * up for as long as that lasts. Waiting for it level-triggered would spin;
 * edge-triggered, the next thing to happen to the port wakes us. Everything
 * else is level-triggered, which forgives a byte left unread.
 */
static void watch_stream(struct channel *channel)
{
	struct epoll_event event = {.data.fd = channel->stream};
	int operation = channel->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (channel->stream < 0)
		return;
	event.events = EPOLLHUP | (channel->out_len ? EPOLLOUT : EPOLLIN);
	if (is_port(channel) && (!channel->attached || channel->closed))
		event.events |= EPOLLET;
	if (event.events == channel->watched)
		return;
	if (epoll_ctl(channel->epoll, operation, channel->stream, &event))
		log_err("%s: cannot poll: %s", channel->address.path,
			strerror(errno));
	channel->watched = event.events;
}

/* Only while there is no client: the next one waits in the backlog. */
static void watch_listener(struct channel *channel)
{
	struct epoll_event event = {
		.data.fd = channel->listener,
		.events = channel->stream < 0 ? EPOLLIN : 0,
	};

	if (channel->listener >= 0)
		epoll_ctl(channel->epoll, EPOLL_CTL_MOD, channel->listener,
			  &event);
}

static void arm_timer(struct channel *channel, unsigned int ms)
{
	const struct itimerspec when = {
		.it_value = {ms / 1000, ms % 1000 * 1000000L},
	};

	timerfd_settime(channel->timer, 0, &when, NULL);
}

static void drop_output(struct channel *channel)
{
	free(channel->out);
	channel->out = NULL;
	channel->out_len = 0;
	channel->out_size = 0;
	channel->mid_line = false;
}

/* The stream stays; who was at its other end does not. */
static void detach(struct channel *channel, bool closed)
{
	bool was_attached = channel->attached;

	drop_output(channel);
	channel->greeted = 0;
	channel->closed = 0;
	channel->attached = false;
	if (was_attached)
		channel->ops->detached(channel->data, closed);
	watch_stream(channel);
}

static void set_stream(struct channel *channel, int fd)
{
	channel->stream = fd;
	channel->watched = 0;
	/* a port may have been opened before its host side was */
	channel->attached = !is_port(channel);
	watch_stream(channel);
	watch_listener(channel);
}

static void close_stream(struct channel *channel)
{
	close(channel->stream);
	channel->stream = -1;
	detach(channel, true);
	watch_listener(channel);
	if (channel->listener < 0)
		arm_timer(channel, REOPEN_MS);
}

static int open_stream(struct channel *channel)
{
	int fd = channel_device_open(channel->address.method,
				     channel->address.path);

	if (fd < 0)
		return fd;
	set_stream(channel, fd);
	return 0;
}

static void reopen(struct channel *channel)
{
	uint64_t expirations;

	if (read(channel->timer, &expirations, sizeof(expirations)) < 0)
		return;
	if (channel->stream >= 0)
		return;
	if (channel->held || open_stream(channel))
		arm_timer(channel, REOPEN_MS);
	else
		log_info("%s: opened", channel->address.path);
}

static void accept_client(struct channel *channel)
{
	int fd = accept4(channel->listener, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		set_stream(channel, fd);
}

static void flush(struct channel *channel)
{
	ssize_t written;
	size_t done = 0;

	while (done < channel->out_len) {
		written = write(channel->stream, channel->out + done,
				channel->out_len - done);
		if (written > 0)
			done += written;
		else if (errno != EINTR)
			break;
	}
	if (done < channel->out_len && errno == EAGAIN) {
		if (done)
			channel->mid_line = channel->out[done - 1] != '\n';
		channel->out_len -= done;
		memmove(channel->out, channel->out + done, channel->out_len);
	} else {
		/* all is written; or the stream is broken, as the next read
		 * will find out */
		drop_output(channel);
	}
	watch_stream(channel);
}

static bool append(struct channel *channel, const char *bytes, size_t len)
{
	size_t needed = channel->out_len + len;
	char *out;

	if (needed > channel->out_size) {
		out = realloc(channel->out, needed);
		if (!out)
			return false;
		channel->out = out;
		channel->out_size = needed;
	}
	memcpy(channel->out + channel->out_len, bytes, len);
	channel->out_len = needed;
	return true;
}

void channel_send(struct channel *channel, const char *bytes, size_t len)
{
	if (channel->stream < 0 || !channel->attached)
		return;
	if (append(channel, bytes, len))
		flush(channel);
	else
		log_err("%s: out of memory, a reply is dropped",
			channel->address.path);
}

/* The rest of a line that was begun still goes out: the reply to the greeting
 * would be taken for it. */
void channel_greet(struct channel *channel)
{
	char *end;

	channel->greeted = is_port(channel) ? now_s() : 0;
	if (!channel->mid_line) {
		drop_output(channel);
		return;
	}
	end = memchr(channel->out, '\n', channel->out_len);
	if (end)
		channel->out_len = end + 1 - channel->out;
}

/* True if there may be more to read. */
static bool read_once(struct channel *channel)
{
	char bytes[READ_SIZE];
	ssize_t len;

	len = read(channel->stream, bytes, sizeof(bytes));
	if (len > 0) {
		channel->attached = true;
		channel->ops->received(channel->data, bytes, len);
		return true;
	}
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (len == 0 && is_port(channel)) {
		if (!is_greeted_lately(channel))
			detach(channel, false);
		return false;
	}
	if (len < 0 && errno != ECONNRESET)
		log_err("%s: cannot read: %s", channel->address.path,
			strerror(errno));
	close_stream(channel);
	return false;
}

static void stream_ready(struct channel *channel, uint32_t events)
{
	bool hung_up = events & (EPOLLHUP | EPOLLERR);
	int i;

	/* no old news then: the host that said hello has left */
	if (channel->closed && now_s() - channel->closed > AT_ONCE_S)
		detach(channel, false);
	if (!hung_up)
		channel->closed = 0;
	else if (!is_greeted_lately(channel))
		/* nobody is left who would read what waits, or is there yet */
		drop_output(channel);
	else if (!channel->closed)
		channel->closed = now_s();
	if (events & EPOLLOUT && channel->out_len)
		flush(channel);
	/* all of it while closed: nothing would wake us for the rest */
	for (i = 0; (i < READS_MAX || channel->closed) && !channel->out_len; i++) {
		if (!read_once(channel))
			break;
	}
	watch_stream(channel);
}

void channel_dispatch(struct channel *channel)
{
	struct epoll_event events[3];
	int i, nr;

	nr = epoll_wait(channel->epoll, events, 3, 0);
	for (i = 0; i < nr; i++) {
		if (events[i].data.fd == channel->timer)
			reopen(channel);
		else if (events[i].data.fd == channel->stream)
			stream_ready(channel, events[i].events);
		else if (channel->stream < 0)
			accept_client(channel);
	}
}

void channel_hold(struct channel *channel, bool held)
{
	channel->held = held;
}

int channel_fd(const struct channel *channel)
{
	return channel->epoll;
}

static int watch(struct channel *channel, int fd, uint32_t events)
{
	struct epoll_event event = {.data.fd = fd, .events = events};

	return epoll_ctl(channel->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_polling(struct channel *channel)
{
	channel->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (channel->epoll < 0)
		return -errno;
	channel->timer = timerfd_create(CLOCK_MONOTONIC,
					TFD_CLOEXEC | TFD_NONBLOCK);
	if (channel->timer < 0)
		return -errno;
	return watch(channel, channel->timer, EPOLLIN);
}

static int open_device(struct channel *channel)
{
	int err = open_stream(channel);

	if (!err || !channel->address.wait)
		return err;
	log_info("%s: waiting for it: %s", channel->address.path, strerror(-err));
	arm_timer(channel, REOPEN_MS);
	return 0;
}

static int open_listener(struct channel *channel)
{
	int fd = channel->address.listener;

	if (fd < 0)
		fd = channel_listener_open(channel->address.method,
					   channel->address.path);
	if (fd < 0)
		return fd;
	channel->listener = fd;
	return watch(channel, fd, EPOLLIN);
}

static bool listens(const struct channel_address *address)
{
	return address->listener >= 0 || address->method == CONFIG_UNIX_LISTEN ||
	       address->method == CONFIG_VSOCK_LISTEN;
}

int channel_open(const struct channel_address *address,
		 const struct channel_ops *ops, void *data,
		 struct channel **result)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	int err;

	if (!channel)
		return -ENOMEM;
	channel->address = *address;
	channel->ops = ops;
	channel->data = data;
	channel->epoll = channel->timer = -1;
	channel->listener = channel->stream = -1;
	if (!channel->address.path)
		channel->address.path = "socket";
	err = open_polling(channel);
	if (!err)
		err = listens(address) ? open_listener(channel)
				       : open_device(channel);
	if (err) {
		log_err("%s: cannot open: %s", channel->address.path,
			strerror(-err));
		channel_close(channel);
		return err;
	}
	*result = channel;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void channel_close(struct channel *channel)
{
	if (!channel)
		return;
	free(channel->out);
	close_fd(channel->stream);
	close_fd(channel->listener);
	close_fd(channel->timer);
	close_fd(channel->epoll);
	free(channel);
}
