// SPDX-License-Identifier: GPL-2.0
/*
 * The journal's native protocol, on a socket of our own: libsystemd's is shared
 * with the monitor and has been closed here with everything else of it.
 */
#include "hook_journal.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "hook_log.h"
#include "log.h"

#define SOCKET "/run/systemd/journal/socket"

/* A field of more than one line has its length in front. */
static void put_message(FILE *file, const struct hook_log_entry *entry)
{
	const struct hook_exit *exit = &entry->exit;
	const char *phase = entry->thawing ? "thaw" : "freeze";
	char line[512];
	size_t output_len;
	uint64_t size;
	int len;

	if (entry->background)
		len = snprintf(line, sizeof(line), "%.255s: output since then",
			       entry->path);
	else if (exit->timed_out)
		len = snprintf(line, sizeof(line),
			       "%.255s %s timed out after %g s", entry->path,
			       phase, exit->limit_ms / 1000.0);
	else
		len = snprintf(line, sizeof(line),
			       "%.255s %s finished with status=%d", entry->path,
			       phase, hook_exit_status(exit));
	output_len = entry->len;
	if (output_len && entry->output[output_len - 1] == '\n')
		output_len--;
	size = htole64(len + 1 + output_len);
	fputs("MESSAGE\n", file);
	fwrite(&size, sizeof(size), 1, file);
	fprintf(file, "%s\n", line);
	fwrite(entry->output, 1, output_len, file);
	fputc('\n', file);
}

static void put_fields(FILE *file, const struct hook_log_entry *entry, uint32_t id)
{
	/* that it failed has been said when it did */
	fprintf(file, "PRIORITY=%d\n", LOG_INFO);
	fprintf(file, "SYSLOG_IDENTIFIER=" LOG_IDENT "\n");
	fprintf(file, "KFREEZE_HOOK=%s\n", entry->path);
	fprintf(file, "KFREEZE_HOOK_PHASE=%s\n",
		entry->thawing ? "thaw" : "freeze");
	fprintf(file, "KFREEZE_ID=%u\n", id);
	if (!entry->background)
		fprintf(file, "KFREEZE_HOOK_STATUS=%d\n",
			hook_exit_status(&entry->exit));
}

static void send_text(const char *text, size_t size)
{
	const struct sockaddr_un journal = {.sun_family = AF_UNIX,
					    .sun_path = SOCKET};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	/* the log file has it too: there is nobody to tell that this failed */
	(void)!sendto(fd, text, size, MSG_NOSIGNAL, (const void *)&journal,
		      sizeof(journal));
	close(fd);
}

void hook_journal_send(const struct hook_log_entry *entry, uint32_t id)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	put_message(file, entry);
	put_fields(file, entry, id);
	if (!fclose(file))
		send_text(text, size);
	free(text);
}
