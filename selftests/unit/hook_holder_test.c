// SPDX-License-Identifier: GPL-2.0
/* The holder of locks, with a shell script as its client: every way to end. */
/* link: hooks/holder hooks/client_process hooks/instances */
#include "ktap.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/holder.h"
#include "hooks/instances.h"

#define LONG_MS 20000

/* "unlock" of a client that was told "break" ends it. */
static const char script[] =
	"while read -r line; do case $line in break*) broken=1;;"
	" unlock*) [ -z \"$broken\" ] || exit 1;;"
	" SELECT*) line=${line#*\\'}; echo \"${line%\\'*}\";; esac; done";

static struct instance instances[2] = {{.pid = 1}, {.pid = 2}};
static const char *statements[2] = {"lock", "lock"}; /* for each; NULL: none */
static int alive[2]; /* EOF: holder and clients are gone */

static int prepare(const struct instance *instance, struct client *client,
		   uint64_t deadline_ms)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct client_spec spec = {.program = "sh", .argv = argv};
	const char *statement = statements[instance->pid - 1];

	if (!statement)
		return -ECONNREFUSED;
	if (!*statement)
		return APPLICATION_NOT_OURS;
	CHECK_EQ(client_start(client, &spec), 0);
	return client_ask(client, statement, deadline_ms);
}

const struct application application = {
	.name = "test",
	.prepare = prepare,
	.unlock = "unlock",
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) > 0);
	close(fd);
}

static void become_root(void)
{
	char users[32], groups[32];

	snprintf(users, sizeof(users), "0 %d 1", geteuid());
	snprintf(groups, sizeof(groups), "0 %d 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		SKIP("no user namespaces");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", users);
	write_file("/proc/self/gid_map", groups);
}

/* A /run of our own. */
static void set_up(void)
{
	become_root();
	CHECK_EQ(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	CHECK(!pipe(alive));
}

static int start(uint32_t hold_ms)
{
	static struct holder_limits limits = {.prepare_ms = LONG_MS};

	limits.hold_ms = hold_ms;
	return holder_start(instances, 2, &limits);
}

static bool all_gone(int timeout_ms)
{
	struct pollfd pfd = {.fd = alive[0], .events = POLLIN};

	if (alive[1] >= 0)
		close(alive[1]);
	alive[1] = -1;
	return poll(&pfd, 1, timeout_ms) == 1;
}

TEST(locks_are_held_until_released)
{
	set_up();
	CHECK_EQ(start(LONG_MS), 0);
	CHECK(!all_gone(300));
	CHECK_EQ(holder_release(LONG_MS), 0);
	CHECK(all_gone(LONG_MS));
	CHECK_EQ(access("/run/kfreeze/locks/test.sock", F_OK), -1);
	CHECK_EQ(holder_release(LONG_MS), 0); /* nothing is held any more */
}

TEST(lost_lock_fails_the_release)
{
	set_up();
	statements[1] = "break";
	CHECK_EQ(start(LONG_MS), 0);
	CHECK_EQ(holder_release(LONG_MS), 1);
	CHECK(all_gone(LONG_MS));
}

TEST(one_that_fails_does_not_stop_the_other)
{
	set_up();
	statements[0] = NULL;
	CHECK_EQ(start(LONG_MS), 1);
	CHECK(!all_gone(0));
	CHECK_EQ(holder_release(LONG_MS), 0);
	CHECK(all_gone(LONG_MS));
}

TEST(without_a_lock_nobody_stays)
{
	set_up();
	statements[0] = NULL;
	statements[1] = "";
	CHECK_EQ(start(LONG_MS), 1);
	CHECK(all_gone(LONG_MS));
	CHECK_EQ(holder_release(LONG_MS), 0);
}

TEST(other_products_are_nothing_to_do)
{
	set_up();
	statements[0] = statements[1] = "";
	CHECK_EQ(start(LONG_MS), APPLICATION_IDLE);
	CHECK(all_gone(LONG_MS));
}

TEST(thaw_that_never_comes)
{
	set_up();
	CHECK_EQ(start(500), 0);
	CHECK(all_gone(LONG_MS));
	CHECK_EQ(holder_release(LONG_MS), 1);
}

TEST(locks_end_with_who_runs_the_hooks)
{
	pid_t runner, hook;
	int status;

	set_up();
	runner = fork();
	if (runner == 0) {
		hook = fork();
		if (hook == 0)
			_exit(start(LONG_MS));
		CHECK_EQ(waitpid(hook, &status, 0), hook);
		_exit(status);
	}
	CHECK_EQ(waitpid(runner, &status, 0), runner);
	CHECK_EQ(status, 0);
	CHECK(all_gone(LONG_MS / 2));
	CHECK_EQ(holder_release(LONG_MS), 1);
}

TEST(leftover_of_an_earlier_cycle_is_ended)
{
	set_up();
	CHECK_EQ(start(LONG_MS), 0);
	CHECK_EQ(start(LONG_MS), 0);
	CHECK_EQ(holder_release(LONG_MS), 0);
	CHECK(all_gone(LONG_MS));
}
