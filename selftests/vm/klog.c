// SPDX-License-Identifier: GPL-2.0
/* Look for complaints of the kernel in its own log. */
#include "klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX 8192 /* larger than what the kernel puts in one */

/* What nobody has read may have been a complaint. */
#define OVERWRITTEN "records were overwritten before they were read"

/* None of these is ever printed by a healthy kernel once it has booted. */
static const char *const complaints[] = {
	"BUG:",
	"WARNING:",
	"Oops",
	"KASAN",
	"UBSAN",
	"general protection fault",
	"possible circular locking",
	"suspicious RCU usage",
	"non-static key",
	"inconsistent lock state",
	"blocked for more than",
	"refusing to freeze",
	"soft lockup",
	"detected stalls",
	"unreferenced object",
	OVERWRITTEN,
};

int klog_open(void)
{
	return open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

void klog_skip(int fd)
{
	lseek(fd, 0, SEEK_END);
}

/* The text of the next record, or NULL at the end of the log. */
static const char *next_record(int fd, char *buf)
{
	ssize_t len;
	char *text;

	do {
		len = read(fd, buf, RECORD_MAX - 1);
	} while (len < 0 && errno == EINTR);
	/* The log has wrapped; the next read is its start. */
	if (len < 0 && errno == EPIPE)
		return OVERWRITTEN;
	if (len <= 0)
		return NULL;
	buf[len] = '\0';
	/* "prefix,sequence,time,flags;text\n KEY=value\n" */
	text = strchr(buf, ';');
	text = text ? text + 1 : buf;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static int is_complaint(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		if (strstr(text, complaints[i]))
			return 1;
	}
	return 0;
}

/* Print the complaints since the last look; return how many there were. */
int klog_scan(int fd, const char *prefix)
{
	char buf[RECORD_MAX];
	const char *text;
	int nr = 0;

	while ((text = next_record(fd, buf))) {
		if (is_complaint(text)) {
			printf("%s# kernel: %s\n", prefix, text);
			nr++;
		}
	}
	return nr;
}

/* Ask the kernel who is stuck and where; skips what was logged before. */
void klog_print_blocked_tasks(int fd, const char *prefix)
{
	int sysrq = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	char buf[RECORD_MAX];
	const char *text;

	if (sysrq < 0)
		return;
	klog_skip(fd);
	if (write(sysrq, "w", 1) == 1) {
		while ((text = next_record(fd, buf)))
			printf("%s# kernel: %s\n", prefix, text);
	}
	close(sysrq);
}
