// SPDX-License-Identifier: GPL-2.0
/* What all shipped hooks have in common, with a client that is not there. */
/* link: hooks/holder hooks/client_process */
#include "ktap.h"

#include <stdarg.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/instances.h"

int hook_main(int argc, char **argv);
#define main hook_main
#include "../../daemon/hooks/hook_main.c"
#undef main

static const char *const *client_argv;
static char said[256];

static int prepare(const struct instance *instance, struct client *unused,
		   uint64_t deadline_ms)
{
	const struct client_spec spec = {.program = *client_argv,
					 .argv = client_argv};
	struct client client;
	int err;

	(void)unused;
	CHECK_EQ(client_start(&client, &spec), 0);
	/* it is gone before it is asked */
	waitid(P_PID, client.pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	err = client_ask(&client, "ask", deadline_ms);
	instance_say(instance, "%s", client_reason(&client, err));
	client_stop(&client);
	return err;
}

const struct application application = {.name = "test", .prepare = prepare};

ssize_t instances_find(const char *const *names, struct instance **instances)
{
	static struct instance instance = {.pid = 1};

	(void)names;
	*instances = &instance;
	return 1;
}

void instance_say(const struct instance *instance, const char *format, ...)
{
	va_list args;

	(void)instance;
	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

static int run_hook(const char *argument)
{
	char *const argv[] = {"hook", (char *)argument, NULL};

	return hook_main(2, (char **)argv);
}

/* Whoever runs hooks resets all signals. */
TEST(missing_client_fails_the_hook_and_is_named)
{
	const char *const argv[] = {"/no/such/client", NULL};

	client_argv = argv;
	signal(SIGPIPE, SIG_DFL);
	CHECK_EQ(run_hook("freeze"), 1);
	CHECK(strstr(said, "/no/such/client: cannot execute"));
}

TEST(client_gets_no_ignored_signal)
{
	const char *const argv[] = {"sh", "-c",
				    "grep SigIgn: /proc/self/status", NULL};

	client_argv = argv;
	signal(SIGPIPE, SIG_DFL);
	CHECK_EQ(run_hook("freeze"), 1);
	CHECK(!strncmp(said, "SigIgn:", strlen("SigIgn:")));
	CHECK_EQ(strtoull(said + strlen("SigIgn:"), NULL, 16) &
			 (1ULL << (SIGPIPE - 1)),
		 0);
}
