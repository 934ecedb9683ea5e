// SPDX-License-Identifier: GPL-2.0
/* A client as a child: what it answers, and every way in which it can end. */
/* link: hooks/client_process */
#include "ktap.h"

#include <fcntl.h>

#include "hooks/client_process.h"

#define SECONDS_MS 1000

/* Answers every mark; says "no" and ends when told "fail"; nothing to "hang". */
static const char script[] =
	"while read -r line; do case $line in fail*) echo no; exit 1;;"
	" hang*) exec sleep 1000;; answer*) echo one; echo two;;"
	" long*) head -c 9000 /dev/zero | tr '\\0' x; echo;;"
	" SELECT*) line=${line#*\\'}; echo \"${line%\\'*}\";; esac; done";

static const char *const argv[] = {"sh", "-c", script, NULL};
static const struct client_spec spec = {.program = "sh", .argv = argv};
static struct client client;

static uint64_t in_ms(uint64_t milliseconds)
{
	return client_now_ms() + milliseconds;
}

TEST(answer_is_the_last_line)
{
	CHECK_EQ(client_start(&client, &spec), 0);
	CHECK_EQ(client_ask(&client, "answer", in_ms(20 * SECONDS_MS)), 0);
	CHECK_STREQ(client.answer, "two");
	CHECK_EQ(client_ask(&client, "nothing", in_ms(20 * SECONDS_MS)), 0);
	CHECK_STREQ(client.answer, "");
	client_stop(&client);
	CHECK_EQ(client.pid, 0);
}

TEST(long_line_is_survived)
{
	CHECK_EQ(client_start(&client, &spec), 0);
	CHECK_EQ(client_ask(&client, "long", in_ms(20 * SECONDS_MS)), 0);
	CHECK_EQ(client_ask(&client, "answer", in_ms(20 * SECONDS_MS)), 0);
	CHECK_STREQ(client.answer, "two");
}

TEST(end_of_client_is_its_last_line)
{
	int err;

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(client_start(&client, &spec), 0);
	err = client_ask(&client, "fail", in_ms(20 * SECONDS_MS));
	CHECK_EQ(err, -EPIPE);
	CHECK_STREQ(client_reason(&client, err), "no");
	err = client_ask(&client, "answer", in_ms(20 * SECONDS_MS));
	CHECK_EQ(err, -EPIPE);
	CHECK_STREQ(client_reason(&client, err), "its client has ended");
}

TEST(silence_ends_at_the_deadline)
{
	uint64_t begin = client_now_ms();

	CHECK_EQ(client_start(&client, &spec), 0);
	CHECK_EQ(client_ask(&client, "hang", in_ms(200)), -ETIMEDOUT);
	CHECK(client_now_ms() - begin >= 200);
	client_stop(&client);
}

TEST(other_name_is_tried)
{
	const struct client_spec other = {
		.program = "/no/such/client",
		.other = "sh",
		.argv = argv,
	};

	CHECK_EQ(client_start(&client, &other), 0);
	CHECK_EQ(client_ask(&client, "answer", in_ms(20 * SECONDS_MS)), 0);
}

TEST(missing_client_is_named)
{
	const struct client_spec missing = {
		.program = "/no/such/client",
		.argv = argv,
	};
	int err;

	signal(SIGPIPE, SIG_IGN); /* as the holder does */
	CHECK_EQ(client_start(&client, &missing), 0);
	err = client_ask(&client, "answer", in_ms(20 * SECONDS_MS));
	CHECK_STREQ(client_reason(&client, err),
		    "/no/such/client: cannot "
		    "execute: No such file or directory");
}

/* The kernel ends it: its parent was killed and could not. */
TEST(client_dies_with_its_parent)
{
	int alive[2], parent_ready[2];
	struct pollfd pfd = {.events = POLLIN};
	char byte;
	pid_t parent;

	CHECK(!pipe(alive) && !pipe2(parent_ready, O_CLOEXEC));
	parent = fork();
	if (parent == 0) {
		CHECK_EQ(client_start(&client, &spec), 0);
		CHECK_EQ(client_ask(&client, "answer", in_ms(20 * SECONDS_MS)),
			 0);
		CHECK_EQ(write(parent_ready[1], "", 1), 1);
		pause();
	}
	close(alive[1]);
	CHECK_EQ(read(parent_ready[0], &byte, 1), 1);
	pfd.fd = alive[0];
	CHECK_EQ(poll(&pfd, 1, 0), 0);
	CHECK_EQ(kill(parent, SIGKILL), 0);
	CHECK_EQ(poll(&pfd, 1, 20 * SECONDS_MS), 1);
	CHECK_EQ(read(alive[0], &byte, 1), 0);
}
