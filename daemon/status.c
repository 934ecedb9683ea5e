// SPDX-License-Identifier: GPL-2.0
/* One line for systemd, sent when it changes. */
#include "status.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static struct {
	char cycle[IPC_TEXT_MAX + 64]; /* "last cycle, at ...", or "" */
	char told[2 * IPC_TEXT_MAX];
} state;

void status_cycle(int err, unsigned int count, const char *text)
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%F %T UTC", gmtime_r(&now, &tm));
	if (err)
		snprintf(state.cycle, sizeof(state.cycle),
			 "last cycle, at %s: %s", when, text);
	else
		snprintf(state.cycle, sizeof(state.cycle),
			 "last cycle, at %s: %u filesystems, ok", when, count);
}

static void tell(const char *now)
{
	char text[sizeof(state.told)];

	snprintf(text, sizeof(text), "STATUS=%s%s%s", now,
		 *state.cycle ? "; " : "", state.cycle);
	if (!strcmp(text, state.told))
		return;
	strcpy(state.told, text);
	sd_notify(0, text);
}

void status_tell_cycle(void)
{
	tell("Ready");
}

void status_tell(enum ipc_state now)
{
	static const char *const names[] = {
		[IPC_THAWED] = "Thawed",
		[IPC_FREEZING] = "Freezing, frozen or thawing",
		[IPC_LOST] = "Thawed; the host has yet to hear that its freeze was lost",
	};

	if (now != IPC_FROZEN && now != IPC_THAWING)
		tell(names[now]);
}
