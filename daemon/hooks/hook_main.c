// SPDX-License-Identifier: GPL-2.0
/*
 * A shipped hook: "freeze" prepares all running servers of one application,
 * "thaw" undoes it. Without a server it does and says nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "client_process.h"
#include "holder.h"
#include "instances.h"

/* If whoever runs us does not say. */
#define TIMEOUT_MS 60000
#define HOOK_TIMEOUT_MS 30000
/* Of its limit, a hook keeps this to end and say why. */
#define MARGIN_MS 2000
/* From a lock to the first filesystem that freezes: other hooks, dirty data. */
#define FLUSH_MS 60000

static uint32_t milliseconds(const char *name, uint32_t fallback)
{
	const char *text = getenv(name);
	unsigned long value = text ? strtoul(text, NULL, 10) : 0;

	return value && value <= UINT32_MAX / 2 ? value : fallback;
}

static struct holder_limits limits(void)
{
	uint32_t hook_ms = milliseconds("KFREEZE_HOOK_TIMEOUT_MS",
					HOOK_TIMEOUT_MS);

	return (struct holder_limits){
		.prepare_ms = hook_ms > 2 * MARGIN_MS ? hook_ms - MARGIN_MS
						      : hook_ms / 2,
		.hold_ms = hook_ms + FLUSH_MS +
			   milliseconds("KFREEZE_TIMEOUT_MS", TIMEOUT_MS),
	};
}

static int prepare_all(const struct instance *instances, size_t nr)
{
	uint64_t deadline = client_now_ms() + limits().prepare_ms;
	int status = APPLICATION_IDLE, err;
	size_t i;

	for (i = 0; i < nr; i++) {
		err = application.prepare(&instances[i], NULL, deadline);
		if (err < 0)
			status = 1;
		else if (!err && status == APPLICATION_IDLE)
			status = 0;
	}
	return status;
}

static int freeze(void)
{
	struct instance *instances;
	const struct holder_limits limit = limits();
	ssize_t nr = instances_find(application.processes, &instances);

	if (nr < 0) {
		printf("%s: /proc: %s\n", application.name, strerror(-nr));
		return 1;
	}
	if (nr == 0)
		return APPLICATION_IDLE;
	if (application.unlock)
		return holder_start(instances, nr, &limit);
	return prepare_all(instances, nr);
}

static int thaw(void)
{
	return application.unlock ? holder_release(limits().prepare_ms) : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* a client may end at any time: what it said counts */
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "freeze"))
		return freeze();
	if (argc == 2 && !strcmp(argv[1], "thaw"))
		return thaw();
	fprintf(stderr, "usage: %s freeze|thaw\n", argv[0]);
	return 2;
}
