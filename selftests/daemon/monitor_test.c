// SPDX-License-Identifier: GPL-2.0
/* kfreeze-monitor as its agent sees it, on loop devices. */
/* link: ipc query */
#include "ktap.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */

static struct ipc_reply freeze(struct client *client, const char *path)
{
	return client_answer(client, client_send_freeze(client, path, NULL));
}

static struct ipc_reply thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

TEST(writers_block_from_freeze_to_thaw)
{
	const char *a, *b;
	struct client client;
	struct writer writer;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	sandbox_write_file(SANDBOX "/a/file", "text", 0644);
	client = client_start();
	reply = client_answer(&client, client_send_freeze(&client, a, b, NULL));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 2);
	CHECK_EQ(reply.state, IPC_FROZEN);
	writer = writer_start(a);
	CHECK(writer_blocks(&writer));
	CHECK(sandbox_is_frozen(b));
	CHECK_STREQ(sandbox_read_file(SANDBOX "/a/file"), "text");
	reply = thaw(&client);
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 2);
	CHECK_EQ(reply.state, IPC_THAWED);
	CHECK(writer_ends(&writer, AT_ONCE_MS));
	CHECK(sandbox_is_writable(b, AT_ONCE_MS));
}

TEST(backend_is_the_one_under_test)
{
	struct report_record record;
	struct client client;
	const char *a;
	char said[64];

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_EQ(thaw(&client).err, 0);
	CHECK(client_record(&client, REPORT_CYCLE, 0, &record));
	CHECK_STREQ(record.cycle.backend, client_backend());
	CHECK_EQ(!strcmp(client_backend(), "ioctl"), *record.cycle.weaker != 0);
	snprintf(said, sizeof(said), "freezing with the %s backend",
		 client_backend());
	CHECK(strstr(sandbox_read_file(CLIENT_LOG), said));
}

TEST(second_freeze_is_busy)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_EQ(freeze(&client, a).err, -EBUSY);
	CHECK(sandbox_is_frozen(a));
	CHECK_EQ(thaw(&client).count, 1);
}

TEST(thaw_without_freeze_counts_nothing)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	client = client_start();
	reply = thaw(&client);
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 0);
	CHECK_EQ(reply.state, IPC_THAWED);
}

TEST(empty_list_freezes_nothing)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	client = client_start();
	reply = freeze(&client, NULL);
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 0);
	CHECK_EQ(reply.state, IPC_THAWED);
}

TEST(paths_are_normalised_and_unknown_ones_ignored)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	sandbox_mount("a", NULL);
	client = client_start();
	reply = client_answer(
		&client, client_send_freeze(&client, SANDBOX "/./b/..//a/",
					    "/no/such/path", "relative", NULL));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.count, 1);
	CHECK_EQ(thaw(&client).count, 1);
}

TEST(strict_mode_names_the_unknown_path)
{
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("[general]\nstrict = true\n");
	client = client_start();
	reply = freeze(&client, "/no/such/path");
	CHECK_EQ(reply.err, -ENOENT);
	CHECK(strstr(reply.text, "/no/such/path: "));
	CHECK_EQ(reply.state, IPC_THAWED);
}

/* The image of b lies on a, that of c on b. */
TEST(stacked_filesystems_freeze_from_the_top)
{
	const char *a, *b, *c;
	struct report_record record;
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", a);
	c = sandbox_mount("c", b);
	client = client_start();
	reply = client_answer(&client,
			      client_send_freeze(&client, a, b, c, NULL));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.count, 3);
	CHECK(sandbox_is_frozen(c));
	CHECK_EQ(thaw(&client).count, 3);
	CHECK(sandbox_is_writable(c, AT_ONCE_MS));
	CHECK(client_record(&client, REPORT_TARGET, 0, &record));
	CHECK_STREQ(record.target.path, a);
	CHECK_EQ(record.target.level, 0);
	CHECK(client_record(&client, REPORT_TARGET, 2, &record));
	CHECK_STREQ(record.target.path, c);
	CHECK_EQ(record.target.level, 2);
}

/* Any mount will do: here the only one left is of a file. */
TEST(filesystem_is_found_through_a_bind_mount)
{
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	sandbox_write_file(SANDBOX "/a/file", "", 0644);
	sandbox_write_file(SANDBOX "/bound", "", 0644);
	CHECK_EQ(mount(SANDBOX "/a/file", SANDBOX "/bound", NULL, MS_BIND, NULL),
		 0);
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	client = client_start();
	reply = freeze(&client, SANDBOX "/bound");
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.count, 1);
	CHECK_EQ(thaw(&client).count, 1);
}

TEST(deadline_thaws_and_the_late_thaw_is_an_error)
{
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(sandbox_is_frozen(a));
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK(strstr(client.text, "fsfreeze is limited up to 1 seconds: "));
	CHECK(strstr(client.text, "deadline"));
	reply = thaw(&client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK_STREQ(reply.text, client.text);
	CHECK_EQ(reply.state, IPC_THAWED);
	CHECK_EQ(thaw(&client).err, 0);
}

TEST(freeze_after_a_lost_one_starts_afresh)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK_EQ(freeze(&client, a).count, 1);
	CHECK_EQ(thaw(&client).err, 0);
}

/* The thaw of a lost freeze waits for its hooks, and a new freeze, too. */
TEST(waiting_thaw_is_not_the_next_freezes)
{
	uint32_t late_thaw, next_freeze;
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	sandbox_write_file("/etc/kfreeze/hooks.d/1",
			   "#!/bin/sh\n[ $1 = freeze ] || read -r x </run/go\n",
			   0755);
	CHECK_EQ(mkfifo("/run/go", 0600), 0);
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, CLIENT_PATIENCE_MS));
	late_thaw = client_send(&client, IPC_THAW);
	next_freeze = client_send_freeze(&client, a, NULL);
	sandbox_write_file("/run/go", "\n", 0600);
	reply = client_answer(&client, late_thaw);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, "fsfreeze is limited"));
	CHECK_EQ(client_answer(&client, next_freeze).count, 1);
	late_thaw = client_send(&client, IPC_THAW);
	sandbox_write_file("/run/go", "\n", 0600);
	CHECK_EQ(client_answer(&client, late_thaw).err, 0);
}

/* It would be of a monitor that is about to go. */
TEST(waiting_freeze_is_cancelled_by_sigterm)
{
	struct client client;
	struct ipc_reply reply;
	uint32_t freeze_id;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\n");
	sandbox_write_file("/etc/kfreeze/hooks.d/1",
			   "#!/bin/sh\n[ $1 = freeze ] || read -r x </run/go\n",
			   0755);
	CHECK_EQ(mkfifo("/run/go", 0600), 0);
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, CLIENT_PATIENCE_MS));
	freeze_id = client_send_freeze(&client, a, NULL);
	/* it has been taken */
	client_answer(&client, client_send(&client, IPC_STATUS));
	kill(client.monitor, SIGTERM);
	reply = client_answer(&client, freeze_id);
	CHECK_EQ(reply.err, -ECANCELED);
	CHECK(strstr(reply.text, "was stopped"));
	sandbox_write_file("/run/go", "\n", 0600);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

TEST(lost_state_ends_by_itself)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("[general]\ntimeout = 1\nlost-timeout = 1\n");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(client_wait_state(&client, IPC_LOST, 1000 + AT_ONCE_MS));
	CHECK(client_wait_state(&client, IPC_THAWED, 1000 + AT_ONCE_MS));
	CHECK_EQ(thaw(&client).err, 0);
}

TEST(death_of_the_agent_thaws)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK(sandbox_is_frozen(a));
	close(client.fd);
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
}

TEST(sigterm_thaws_and_tells)
{
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	kill(client.monitor, SIGTERM);
	CHECK(client_wait_state(&client, IPC_LOST, AT_ONCE_MS));
	CHECK(strstr(client.text, "was stopped"));
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
}

/* One of five is frozen already. If that is a failure, the other four are
 * writable when the error arrives. */
TEST(one_failure_rolls_back_all)
{
	const char *dirs[5], *names[] = {"a", "b", "c", "d", "e"};
	struct client client;
	struct ipc_reply reply;
	int i;

	SANDBOX_ENTER("");
	for (i = 0; i < 5; i++)
		dirs[i] = sandbox_mount(names[i], NULL);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(dirs[3]), 0);
	reply = client_answer(
		&client, client_send_freeze(&client, dirs[0], dirs[1], dirs[2],
					    dirs[3], dirs[4], NULL));
	if (reply.err) {
		CHECK_EQ(reply.err, -EBUSY);
		CHECK_EQ(reply.state, IPC_THAWED);
		CHECK(strstr(reply.text, SANDBOX "/d (/dev/loop"));
		CHECK(strstr(reply.text,
			     "freeze: busy: somebody else has frozen it"));
	} else {
		/* up from 6.6 the module and others hold it side by side */
		CHECK_STREQ(client_backend(), "kmod");
		CHECK_EQ(thaw(&client).count, 5);
	}
	for (i = 0; i < 5; i++) {
		if (i != 3)
			CHECK(sandbox_is_writable(dirs[i], AT_ONCE_MS));
	}
	/* what somebody else froze is not ours to thaw */
	CHECK(sandbox_is_frozen(dirs[3]));
	CHECK_EQ(sandbox_fithaw(dirs[3]), 0);
}

TEST(foreign_thaw_is_an_error_at_thaw)
{
	struct client client;
	struct ipc_reply reply;
	const char *a, *b;
	bool thawed;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	client = client_start();
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, b, NULL)).err,
		 0);
	thawed = !sandbox_fithaw(b);
	if (!strcmp(client_backend(), "kmod") && sandbox_is_frozen(b)) {
		/* up from 6.6 the module's freeze is its own, even if some
		 * kernels take such a thaw for a success */
		CHECK_EQ(thaw(&client).count, 2);
		return;
	}
	CHECK(thawed);
	reply = thaw(&client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, "fsfreeze is limited up to 60 seconds: "));
	CHECK(strstr(reply.text, SANDBOX "/b (/dev/loop"));
	CHECK(strstr(reply.text, "somebody else thawed it"));
	CHECK(sandbox_is_writable(a, AT_ONCE_MS));
}

TEST(report_has_every_filesystem)
{
	struct report_record record;
	struct client client;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_EQ(thaw(&client).err, 0);
	CHECK(client_record(&client, REPORT_CYCLE, 0, &record));
	CHECK_EQ(record.cycle.verdict, REPORT_OK);
	CHECK(record.cycle.freeze_monotonic_ns);
	CHECK(record.cycle.thaw_monotonic_ns > record.cycle.freeze_monotonic_ns);
	CHECK(client_record(&client, REPORT_TARGET, 0, &record));
	CHECK_STREQ(record.target.path, a);
	CHECK_STREQ(record.target.fstype, "ext4");
	CHECK(!strncmp(record.target.source, "/dev/loop", 9));
	CHECK_EQ(record.target.major, 7);
	CHECK_EQ(record.target.err, 0);
	CHECK(record.target.freeze_ns && record.target.hold_ns &&
	      record.target.thaw_ns);
	CHECK(!client_record(&client, REPORT_TARGET, 1, &record));
}

/* The images of b and c lie on a, and b's data cannot be written there. */
TEST(filesystems_of_one_disk_are_flushed_in_turn)
{
	struct report_record record;
	const char *a, *b, *c, *other;
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("[general]\nflush-timeout = 1\n");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", a);
	c = sandbox_mount("c", a);
	other = sandbox_mount("other", NULL);
	client = client_start();
	CHECK_EQ(sandbox_fifreeze(a), 0);
	sandbox_write_file(SANDBOX "/b/dirty", "dirty", 0644);
	reply = client_answer(&client,
			      client_send_freeze(&client, b, c, other, NULL));
	CHECK_EQ(sandbox_fithaw(a), 0);
	CHECK_EQ(reply.err, -ETIMEDOUT);
	CHECK(strstr(reply.text, b));
	CHECK(client_record(&client, REPORT_TARGET, 1, &record));
	CHECK_STREQ(record.target.path, c);
	CHECK_EQ(record.target.flush_ns, 0);
	CHECK(client_record(&client, REPORT_TARGET, 2, &record));
	CHECK_STREQ(record.target.path, other);
	CHECK(record.target.flush_ns);
}

TEST(report_longer_than_the_socket_is_complete)
{
	struct report_record record;
	struct client client;
	uint32_t id;
	const char *a;
	int i;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	for (i = 0; i < 300; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/etc/kfreeze/hooks.d/%03d", i);
		sandbox_write_file(path, "", 0777); /* refused: 0777 */
	}
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	CHECK_EQ(thaw(&client).err, 0);
	id = client_send(&client, IPC_REPORT);
	client_answer(&client, id);
	/* MAX_HOOKS */
	CHECK(client_record(&client, REPORT_HOOK, 255, &record));
	CHECK(!client_record(&client, REPORT_HOOK, 256, &record));
}

static const struct {
	const char *name;
	size_t size;
	uint32_t type;
} malformed[] = {
	{"short", 8, IPC_STATUS},
	{"long", sizeof(struct ipc_request) + 1, IPC_STATUS},
	{"type 0", sizeof(struct ipc_request), 0},
	{"type 99", sizeof(struct ipc_request), 99},
	{"second hello", sizeof(struct ipc_request), IPC_HELLO},
	{"query of nothing", sizeof(struct ipc_request), IPC_QUERY},
};

TEST(malformed_request_ends_the_connection_and_thaws)
{
	char message[sizeof(struct ipc_request) + 1];
	struct ipc_request *request = (void *)message;
	struct client client;
	const char *a;
	size_t i;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	for (i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		client = client_start();
		CHECK_EQ(freeze(&client, a).err, 0);
		memset(message, 0, sizeof(message));
		request->type = malformed[i].type;
		CHECK_EQ(send(client.fd, message, malformed[i].size, 0),
			 malformed[i].size);
		CHECK(sandbox_is_writable(a, AT_ONCE_MS));
		CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
		close(client.fd);
	}
}

TEST(paths_that_were_not_added_end_the_connection)
{
	struct ipc_request request;
	struct client client;

	SANDBOX_ENTER("");
	client = client_start();
	memset(&request, 0, sizeof(request));
	request.type = IPC_FREEZE;
	request.freeze.listed = 1;
	request.freeze.nr_paths = 2;
	client_add_path(&client, "/a");
	CHECK_EQ(ipc_send_request(client.fd, &request), 0);
	CHECK_EQ(client_wait_exit(&client, CLIENT_PATIENCE_MS), 0);
}
