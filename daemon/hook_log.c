// SPDX-License-Identifier: GPL-2.0
/*
 * Entries in memory, and the child that writes them. It keeps nothing of the
 * monitor's open, whose connections would not end with it otherwise.
 */
#include "hook_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook_journal.h"
#include "log.h"

#define WRITER_PATIENCE_US 2000000
#define MAX_WRITERS 4 /* that may hang at the same time */
#define NO_FILE 255 /* exit status of a writer; others are an errno */

struct stored {
	struct stored *next;
	struct hook_log_entry entry;
	char text[]; /* of its path and its output */
};

struct writer {
	int pidfd;
	const char *path;
	sd_event_source *end, *timer;
	void (*done)(void); /* NULL: told */
};

static struct {
	struct stored *first, **last;
	unsigned int nr_writers;
} state;

void hook_log_add(const struct hook_log_entry *entry)
{
	size_t path_size = strlen(entry->path) + 1;
	struct stored *stored = malloc(sizeof(*stored) + path_size + entry->len);

	if (!stored)
		return;
	stored->next = NULL;
	stored->entry = *entry;
	stored->entry.path = strcpy(stored->text, entry->path);
	stored->entry.output = memcpy(stored->text + path_size, entry->output,
				      entry->len);
	if (!state.first)
		state.last = &state.first;
	*state.last = stored;
	state.last = &stored->next;
}

static void forget(void)
{
	struct stored *stored;

	while ((stored = state.first)) {
		state.first = stored->next;
		free(stored);
	}
}

/* --- the writer --- */

/* As date(1) prints it. */
static void print_date(FILE *file, time_t when)
{
	char date[64];
	struct tm tm;

	localtime_r(&when, &tm);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Z %Y", &tm);
	fprintf(file, "%s: ", date);
}

static void print_end(FILE *file, const struct hook_log_entry *entry)
{
	const struct hook_exit *exit = &entry->exit;

	print_date(file, entry->ended);
	if (exit->timed_out)
		fprintf(file, "%s timed out after %g s, killed\n", entry->path,
			exit->limit_ms / 1000.0);
	else
		fprintf(file, "%s finished with status=%d\n", entry->path,
			hook_exit_status(exit));
}

static void print(FILE *file, const struct hook_log_entry *entry)
{
	if (!entry->background) {
		print_date(file, entry->started);
		fprintf(file, "execute %s %s\n", entry->path,
			entry->thawing ? "thaw" : "freeze");
	}
	fwrite(entry->output, 1, entry->len, file);
	if (entry->len && entry->output[entry->len - 1] != '\n')
		fputc('\n', file);
	if (!entry->background)
		print_end(file, entry);
}

/* Whoever could put a link there would have us write to another file, and a
 * pipe would have us wait. 0, an errno or NO_FILE. */
static int open_log(const char *path, FILE **file)
{
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			      O_CLOEXEC | O_NOCTTY,
		      0640);
	struct stat st;
	int err;

	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? NO_FILE : errno;
	err = fstat(fd, &st) ? errno : S_ISREG(st.st_mode) ? 0 : NO_FILE;
	if (!err) {
		*file = fdopen(fd, "a");
		err = *file ? 0 : errno;
	}
	if (err)
		close(fd);
	return err;
}

static _Noreturn void write_all(const char *path, uint32_t id)
{
	const struct stored *stored;
	FILE *file = NULL;
	int err;

	close_range(STDERR_FILENO + 1, ~0U, 0);
	err = open_log(path, &file);
	for (stored = state.first; !err && stored; stored = stored->next)
		print(file, &stored->entry);
	if (!err && fclose(file))
		err = errno;
	for (stored = state.first; log_is_journal() && stored;
	     stored = stored->next)
		hook_journal_send(&stored->entry, id);
	_exit(err);
}

/* --- the monitor --- */

static void tell(struct writer *writer)
{
	void (*done)(void) = writer->done;

	writer->done = NULL;
	writer->timer = sd_event_source_disable_unref(writer->timer);
	if (done)
		done();
}

static void free_writer(struct writer *writer)
{
	sd_event_source_disable_unref(writer->end);
	sd_event_source_disable_unref(writer->timer);
	close(writer->pidfd);
	free(writer);
	state.nr_writers--;
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct writer *writer = data;
	siginfo_t info = {0};

	(void)source;
	(void)events;
	waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG);
	if (info.si_code == CLD_EXITED && info.si_status)
		log_warn("%s: cannot write: %s", writer->path,
			 info.si_status == NO_FILE ? "not a regular file"
						   : strerror(info.si_status));
	tell(writer);
	free_writer(writer);
	return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	log_warn("the hook log cannot be written now: it is left to itself");
	tell(data);
	return 0;
}

static int watch(sd_event *event, pid_t pid, const char *path, void (*done)(void))
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	state.nr_writers++;
	writer->done = done;
	writer->path = path;
	writer->pidfd = pidfd_open(pid, 0);
	err = writer->pidfd < 0 ? -errno : 0;
	if (!err)
		err = sd_event_add_io(event, &writer->end, writer->pidfd,
				      EPOLLIN, on_end, writer);
	if (err >= 0)
		err = sd_event_add_time_relative(event, &writer->timer,
						 CLOCK_MONOTONIC,
						 WRITER_PATIENCE_US, 1000,
						 on_late, writer);
	if (err < 0)
		free_writer(writer);
	return err < 0 ? err : 0;
}

int hook_log_write(sd_event *event, const char *path, uint32_t id,
		   void (*done)(void))
{
	pid_t pid = -1;
	int err = -EBUSY;

	if (!state.first)
		return -ENODATA;
	if (state.nr_writers < MAX_WRITERS) {
		pid = fork();
		err = pid < 0 ? -errno : 0;
	}
	if (pid == 0)
		write_all(path, id);
	forget();
	if (err) {
		log_warn("%s: cannot write: %s", path, strerror(-err));
		return err;
	}
	return watch(event, pid, path, done);
}
