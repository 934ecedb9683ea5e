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
#define FIELDS_MAX 12
#define HELD_MAX (64 * 1024)

struct line {
	int priority;
	struct timespec when;
	const char *text;
	const char *fields; /* "NAME=value\nNAME=value", for the journal only */
};

/* One held line; text and fields, each with its NUL, follow, padded to the
 * next header. */
struct held {
	int64_t sec;
	int32_t nsec;
	uint16_t priority;
	uint16_t size; /* of both strings, padding included */
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

bool log_is_journal(void)
{
	return state.journal;
}

/* The journal stamps a line when it arrives: a held one tells its own time. */
static void print_time(const struct line *line, char *out, size_t size)
{
	struct tm tm;
	size_t len;

	gmtime_r(&line->when.tv_sec, &tm);
	len = strftime(out, size, " (at %FT%T", &tm);
	snprintf(out + len, size - len, ".%06ldZ)", line->when.tv_nsec / 1000);
}

/* One field for each line of @text. */
static int split_fields(const char *text, struct iovec *fields, int nr)
{
	size_t len;

	for (; *text && nr < FIELDS_MAX; nr++) {
		len = strcspn(text, "\n");
		fields[nr] = (struct iovec){(char *)text, len};
		text += len + (text[len] == '\n');
	}
	return nr;
}

static void write_journal(const struct line *line, bool held)
{
	char message[LINE_MAX_LEN + 96], common[160], when[48] = "";
	struct iovec fields[FIELDS_MAX];
	int nr;

	if (held)
		print_time(line, when, sizeof(when));
	snprintf(message, sizeof(message), "MESSAGE=%s: %s%s",
		 level_name(line->priority), line->text, when);
	fields[0] = (struct iovec){message, strlen(message)};
	snprintf(common, sizeof(common),
		 "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nKFREEZE_REALTIME_USEC=%lld",
		 line->priority, state.ident,
		 line->when.tv_sec * 1000000LL + line->when.tv_nsec / 1000);
	nr = split_fields(common, fields, 1);
	nr = split_fields(line->fields, fields, nr);
	sd_journal_sendv(fields, nr);
}

static void write_file(const struct line *line)
{
	char out[LINE_MAX_LEN + 96];
	int len;

	len = snprintf(out, sizeof(out), "%lld.%06ld: %s: %s\n",
		       (long long)line->when.tv_sec, line->when.tv_nsec / 1000,
		       level_name(line->priority), line->text);
	/* There is nobody to tell that the log cannot be written. */
	if (write(state.fd, out, len) != len)
		return;
}

static void write_line(const struct line *line, bool held)
{
	if (state.journal)
		write_journal(line, held);
	else
		write_file(line);
}

static void hold_line(const struct line *line)
{
	size_t align = _Alignof(struct held);
	size_t text_size = strlen(line->text) + 1;
	size_t size = text_size + strlen(line->fields) + 1;
	struct held *held = (void *)(state.buffer + state.used);

	size = (size + align - 1) / align * align;
	if (sizeof(*held) + size > sizeof(state.buffer) - state.used) {
		state.nr_dropped++;
		return;
	}
	*held = (struct held){.sec = line->when.tv_sec,
			      .nsec = line->when.tv_nsec,
			      .priority = line->priority,
			      .size = size};
	strcpy((char *)(held + 1), line->text);
	strcpy((char *)(held + 1) + text_size, line->fields);
	state.used += sizeof(*held) + size;
}

static void log_line(int priority, const char *fields, const char *fmt,
		     va_list args)
{
	char text[LINE_MAX_LEN];
	struct line line = {priority, .text = text, .fields = fields};

	if (priority == LOG_DEBUG && !state.verbose)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	clock_gettime(CLOCK_REALTIME, &line.when);
	if (state.holding)
		hold_line(&line);
	else
		write_line(&line, false);
}

void log_hold(void)
{
	state.holding = true;
}

void log_release(void)
{
	const struct held *held;
	struct line line;
	size_t pos;

	state.holding = false;
	for (pos = 0; pos < state.used; pos += sizeof(*held) + held->size) {
		held = (const void *)(state.buffer + pos);
		line.priority = held->priority;
		line.when.tv_sec = held->sec;
		line.when.tv_nsec = held->nsec;
		line.text = (const char *)(held + 1);
		line.fields = line.text + strlen(line.text) + 1;
		write_line(&line, true);
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
	log_line(LOG_ERR, "", fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_WARNING, "", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_INFO, "", fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(LOG_DEBUG, "", fmt, args);
	va_end(args);
}

void log_with(int priority, const char *fields, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_line(priority, fields, fmt, args);
	va_end(args);
}
