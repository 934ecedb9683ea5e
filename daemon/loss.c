// SPDX-License-Identifier: GPL-2.0
/*
 * One text in a mapped file: a store in memory is all it takes to leave a
 * message behind, also while every filesystem is frozen, also for a kill -9.
 */
#include "loss.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static char private_text[LOSS_TEXT_MAX];

static struct {
	char *text; /* "": nothing was frozen for the host */
	bool untold;
} state = {.text = private_text};

static int make_directory(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	return mkdir(dirname(copy), 0755) && errno != EEXIST ? -errno : 0;
}

/* In memory only: a store into the page of another filesystem waits for its
 * thaw. And all of it now: what cannot be had later is a SIGBUS. */
static int map_file(int fd)
{
	struct statfs fs;
	void *text;
	int err;

	if (fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != TMPFS_MAGIC)
		return -EXDEV;
	err = posix_fallocate(fd, 0, LOSS_TEXT_MAX);
	if (err)
		return -err;
	text = mmap(NULL, LOSS_TEXT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	if (text == MAP_FAILED)
		return -errno;
	state.text = text;
	return 0;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = map_file(fd);
	close(fd);
	return err;
}

void loss_init(const char *path)
{
	int err = make_directory(path);

	if (!err)
		err = open_file(path);
	if (err)
		log_warn("%s: cannot open: %s", path, strerror(-err));
	state.text[LOSS_TEXT_MAX - 1] = '\0';
	state.untold = *state.text;
}

bool loss_is_untold(void)
{
	return state.untold;
}

const char *loss_text(void)
{
	return state.untold ? state.text : "";
}

/* Hosts look for "fsfreeze is limited". */
static void print(uint32_t timeout_ms, const char *what, const char *reason)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%FT%TZ", &tm);
	snprintf(state.text, LOSS_TEXT_MAX,
		 "fsfreeze is limited up to %u seconds: the freeze %s %s: %s",
		 timeout_ms / 1000, what, when, reason);
}

void loss_expect(uint32_t timeout_ms)
{
	print(timeout_ms, "was lost after", "kfreeze-monitor died");
}

void loss_set(uint32_t timeout_ms, const char *reason)
{
	print(timeout_ms, "was lost at", reason);
	state.untold = true;
}

void loss_forget(void)
{
	state.untold = false;
	*state.text = '\0';
}
