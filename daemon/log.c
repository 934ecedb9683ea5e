// SPDX-License-Identifier: GPL-2.0
/*
 * Log lines to the journal, a file or stderr; held in a static buffer while
 * something may be frozen, so that logging can neither block nor allocate.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024
#define HELD_MAX (64 * 1024)

/* One held line; the text with its NUL follows, padded to the next header. */
struct held {
	int64_t sec;
	int32_t nsec;
	uint16_t priority;
	uint16_t size; /* of the text, padding included */
};

static struct {
	const char *ident;
	int fd;
	bool journal, verbose, holding;
	size_t used; /* bytes of buffer */
	unsigned int nr_dropped;
	_Alignas(struct held) char buffer[HELD_MAX];
} state = {.ident = "kfreeze", .fd = STDERR_FILENO};

static const char *level_name(int priority)
{
	switch (priority) {
	case LOG_ERR:
		return "error";
	case LOG_WARNING:
		return "warning";
	case LOG_INFO:
		return "info";
	default:
		return "debug";
	}
}

/* systemd tells the device and inode of the stream it made our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

int log_init(const char *ident, const char *path, bool verbose)
{
	int fd = STDERR_FILENO;

	if (path) {
		fd = open(path,
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
			  0600);
		if (fd < 0)
			return -errno;
	}
	state.ident = ident;
	state.fd = fd;
	state.verbose = verbose;
	state.journal = !path && stderr_is_journal();
	return 0;
}

void log_set_verbose(bool verbose)
{
	state.verbose = verbose;
}

/* The journal stamps a line when it arrives: a held one tells its own time. */
static void write_journal(int priority, const struct timespec *held_since,
			  const char *text)
{
	char message[LINE_MAX_LEN + 96], number[16], ident[64], when[48] = "";
	struct iovec fields[3];
	struct tm tm;
	size_t len;

	if (held_since) {
		gmtime_r(&held_since->tv_sec, &tm);
		len = strftime(when, sizeof(when), " (at %FT%T", &tm);
		snprintf(when + len, sizeof(when) - len, ".%06ldZ)",
			 held_since->tv_nsec / 1000);
	}
	snprintf(message, sizeof(message), "MESSAGE=%s: %s%s",
		 level_name(priority), text, when);
	snprintf(number, sizeof(number), "PRIORITY=%d", priority);
	snprintf(ident, sizeof(ident), "SYSLOG_IDENTIFIER=%s", state.ident);
	fields[0] = (struct iovec){message, strlen(message)};
	fields[1] = (struct iovec){number, strlen(number)};
	fields[2] = (struct iovec){ident, strlen(ident)};
	sd_journal_sendv(fields, 3);
}

static void write_file(int priority, const struct timespec *when, const char *text)
{
	char line[LINE_MAX_LEN + 96];
	int len;

	len = snprintf(line, sizeof(line), "%lld.%06ld: %s: %s\n",
		       (long long)when->tv_sec, when->tv_nsec / 1000,
		       level_name(priority), text);
	/* There is nobody to tell that the log cannot be written. */
	if (write(state.fd, line, len) != len)
		return;
}

static void write_line(int priority, const struct timespec *when, bool held,
		       const char *text)
{
	if (state.journal)
		write_journal(priority, held ? when : NULL, text);
	else
		write_file(priority, when, text);
}

static void hold_line(int priority, const struct timespec *when, const char *text)
{
	size_t align = _Alignof(struct held);
	size_t size = (strlen(text) + align) / align * align;
	struct held *held = (void *)(state.buffer + state.used);

	if (sizeof(*held) + size > sizeof(state.buffer) - state.used) {
		state.nr_dropped++;
		return;
	}
	*held = (struct held){.sec = when->tv_sec,
			      .nsec = when->tv_nsec,
			      .priority = priority,
			      .size = size};
	strcpy((char *)(held + 1), text);
	state.used += sizeof(*held) + size;
}

static void log_line(int priority, const char *fmt, va_list args)
{
	char text[LINE_MAX_LEN];
	struct timespec now;

	if (priority == LOG_DEBUG && !state.verbose)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	clock_gettime(CLOCK_REALTIME, &now);
	if (state.holding)
		hold_line(priority, &now, text);
	else
		write_line(priority, &now, false, text);
}

void log_hold(void)
{
	state.holding = true;
}

void log_release(void)
{
	const struct held *held;
	struct timespec when;
	size_t pos;

	state.holding = false;
	for (pos = 0; pos < state.used; pos += sizeof(*held) + held->size) {
		held = (const void *)(state.buffer + pos);
		when.tv_sec = held->sec;
		when.tv_nsec = held->nsec;
		write_line(held->priority, &when, true, (const char *)(held + 1));
	}
	state.used = 0;
	if (state.nr_dropped)
		log_warn("%u log lines were dropped during the freeze",
			 state.nr_dropped);
	state.nr_dropped = 0;
}

void log_err(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_ERR, fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_WARNING, fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_INFO, fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_DEBUG, fmt, args);
	va_end(args);
}
