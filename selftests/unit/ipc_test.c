// SPDX-License-Identifier: GPL-2.0
/* Messages: what is malformed is refused, in both directions. */
/* link: ipc query */
#include "ktap.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include "ipc.h"

static int ends[2];
static bool end_comes_early;

/* Of libc. The kernel does so when the peer sends and closes while it looks. */
ssize_t recv(int fd, void *packet, size_t size, int flags)
{
	if (!end_comes_early)
		return recvfrom(fd, packet, size, flags, NULL, NULL);
	end_comes_early = false;
	return 0;
}

static void connect_ends(void)
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
}

static struct ipc_request good_request(uint32_t type)
{
	struct ipc_request request;

	memset(&request, 0, sizeof(request));
	request.type = type;
	request.id = 7;
	if (type == IPC_QUERY)
		request.query.topic = QUERY_HOST_NAME;
	if (type == IPC_ADD_PATHS)
		request.paths.size = 1;
	return request;
}

static struct ipc_reply good_reply(uint32_t type)
{
	struct ipc_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.type = type;
	return reply;
}

static int send_and_receive_request(const struct ipc_request *request)
{
	struct ipc_request received;

	CHECK_EQ(ipc_send_request(ends[0], request), 0);
	return ipc_receive_request(ends[1], &received);
}

static int send_and_receive_reply(const struct ipc_reply *reply)
{
	struct ipc_reply received;

	CHECK_EQ(ipc_send_reply(ends[0], reply), 0);
	return ipc_receive_reply(ends[1], &received);
}

TEST(request_arrives_as_it_was_sent)
{
	struct ipc_request request = good_request(IPC_ADD_PATHS), received;

	connect_ends();
	strcpy(request.paths.text, "/srv/data");
	request.paths.size = sizeof("/srv/data");
	CHECK_EQ(ipc_send_request(ends[0], &request), 0);
	CHECK_EQ(ipc_receive_request(ends[1], &received), 0);
	CHECK_EQ(memcmp(&request, &received, sizeof(request)), 0);
}

TEST(reply_arrives_as_it_was_sent)
{
	struct ipc_reply reply = good_reply(IPC_ANSWER), received;

	connect_ends();
	reply.err = -EBUSY;
	reply.count = 3;
	strcpy(reply.text, "a text");
	CHECK_EQ(ipc_send_reply(ends[0], &reply), 0);
	CHECK_EQ(ipc_receive_reply(ends[1], &received), 0);
	CHECK_EQ(memcmp(&reply, &received, sizeof(reply)), 0);
}

TEST(nothing_to_read_is_eagain_and_the_end_is_epipe)
{
	struct ipc_request request;
	struct ipc_reply reply;

	connect_ends();
	CHECK_EQ(ipc_receive_request(ends[1], &request), -EAGAIN);
	CHECK_EQ(ipc_receive_reply(ends[1], &reply), -EAGAIN);
	close(ends[0]);
	CHECK_EQ(ipc_receive_request(ends[1], &request), -EPIPE);
	CHECK_EQ(ipc_receive_reply(ends[1], &reply), -EPIPE);
	reply = good_reply(IPC_ANSWER);
	CHECK_EQ(ipc_send_reply(ends[1], &reply), -EPIPE);
}

TEST(last_message_comes_before_the_end)
{
	struct ipc_reply reply = good_reply(IPC_ANSWER);

	connect_ends();
	CHECK_EQ(ipc_send_reply(ends[0], &reply), 0);
	close(ends[0]);
	end_comes_early = true;
	CHECK_EQ(ipc_receive_reply(ends[1], &reply), 0);
	CHECK(!end_comes_early);
	CHECK_EQ(ipc_receive_reply(ends[1], &reply), -EPIPE);
}

TEST(a_full_socket_is_eagain)
{
	struct ipc_request request = good_request(IPC_STATUS);
	int err, i;

	connect_ends();
	for (i = 0; i < 100000; i++) {
		err = ipc_send_request(ends[0], &request);
		if (err)
			break;
	}
	CHECK_EQ(err, -EAGAIN);
}

TEST(other_sizes_are_refused)
{
	static const size_t sizes[] = {1, 4, sizeof(struct ipc_request) - 1,
				       sizeof(struct ipc_request) + 1};
	char message[sizeof(struct ipc_request) + 1] = {IPC_STATUS};
	struct ipc_request request;
	size_t i;

	connect_ends();
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		CHECK_EQ(send(ends[0], message, sizes[i], 0), sizes[i]);
		CHECK_EQ(ipc_receive_request(ends[1], &request), -EPROTO);
	}
	CHECK_EQ(send(ends[0], message, sizeof(request), 0), sizeof(request));
	CHECK_EQ(ipc_receive_request(ends[1], &request), 0);
}

TEST(every_request_type_and_no_other)
{
	struct ipc_request request;
	uint32_t type;

	connect_ends();
	for (type = 1; type <= IPC_REQUEST_MAX; type++) {
		request = good_request(type);
		CHECK_EQ(send_and_receive_request(&request), 0);
	}
	request = good_request(0);
	CHECK_EQ(send_and_receive_request(&request), -EPROTO);
	request = good_request(IPC_REQUEST_MAX + 1);
	CHECK_EQ(send_and_receive_request(&request), -EPROTO);
	request = good_request(UINT32_MAX);
	CHECK_EQ(send_and_receive_request(&request), -EPROTO);
}

TEST(paths_without_an_end_are_refused)
{
	static const struct {
		uint32_t size;
		int err;
	} cases[] = {
		{0, -EPROTO},
		{4, -EPROTO},
		{5, 0},
		{8, 0},
		{IPC_PATHS_SIZE - 1, -EPROTO},
		{IPC_PATHS_SIZE, 0},
		{IPC_PATHS_SIZE + 1, -EPROTO},
		{UINT32_MAX, -EPROTO},
	};
	struct ipc_request request = good_request(IPC_ADD_PATHS);
	size_t i;

	connect_ends();
	memset(request.paths.text, 'a', sizeof(request.paths.text));
	request.paths.text[4] = request.paths.text[7] = '\0';
	request.paths.text[IPC_PATHS_SIZE - 1] = '\0';
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		request.paths.size = cases[i].size;
		CHECK_EQ(send_and_receive_request(&request), cases[i].err);
	}
}

TEST(freeze_values_are_checked)
{
	static const struct {
		uint32_t listed, nr_paths;
		int err;
	} cases[] = {
		{0, 0, 0},
		{1, 0, 0},
		{1, IPC_MAX_PATHS, 0},
		{1, IPC_MAX_PATHS + 1, -EPROTO},
		{0, 1, -EPROTO},
		{2, 0, -EPROTO},
	};
	struct ipc_request request = good_request(IPC_FREEZE);
	size_t i;

	connect_ends();
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		request.freeze.listed = cases[i].listed;
		request.freeze.nr_paths = cases[i].nr_paths;
		CHECK_EQ(send_and_receive_request(&request), cases[i].err);
	}
}

TEST(query_is_checked)
{
	struct ipc_request request = good_request(IPC_QUERY);
	struct ipc_reply reply = good_reply(IPC_QUERY_RECORD);

	connect_ends();
	request.query.topic = QUERY_TOPIC_MAX + 1;
	CHECK_EQ(send_and_receive_request(&request), -EPROTO);
	CHECK_EQ(send_and_receive_reply(&reply), -EPROTO);
	reply.query_record.kind = QUERY_TEXT;
	CHECK_EQ(send_and_receive_reply(&reply), 0);
}

/* Each row spoils one member of a good reply. */
static const struct spoiler {
	uint32_t type;
	size_t offset;
	uint32_t value;
} spoilers[] = {
	{IPC_ANSWER, offsetof(struct ipc_reply, type), 0},
	{IPC_ANSWER, offsetof(struct ipc_reply, type), IPC_REPLY_MAX + 1},
	{IPC_ANSWER, offsetof(struct ipc_reply, err), 1},
	{IPC_ANSWER, offsetof(struct ipc_reply, err), -4096},
	{IPC_ANSWER, offsetof(struct ipc_reply, err), 1u << 31},
	{IPC_ANSWER, offsetof(struct ipc_reply, state), IPC_STATE_MAX + 1},
	{IPC_STATE_CHANGED, offsetof(struct ipc_reply, id), 1},
	{IPC_RECORD, offsetof(struct ipc_reply, record.kind), 0},
	{IPC_RECORD, offsetof(struct ipc_reply, record.kind), REPORT_KIND_MAX + 1},
};

TEST(reply_values_are_checked)
{
	struct ipc_reply reply;
	size_t i;

	connect_ends();
	for (i = 0; i < sizeof(spoilers) / sizeof(*spoilers); i++) {
		printf("# row %zu\n", i);
		reply = good_reply(spoilers[i].type);
		if (spoilers[i].type == IPC_RECORD)
			reply.record.kind = REPORT_CYCLE;
		CHECK_EQ(send_and_receive_reply(&reply), 0);
		memcpy((char *)&reply + spoilers[i].offset, &spoilers[i].value,
		       sizeof(spoilers[i].value));
		CHECK_EQ(send_and_receive_reply(&reply), -EPROTO);
	}
}

/* Strings of every kind of record, by offset and size. */
#define STRING(kind, member)                                           \
	{                                                              \
		kind, offsetof(struct ipc_reply, record.member),       \
			sizeof(((struct ipc_reply *)0)->record.member) \
	}
static const struct {
	enum report_kind kind;
	size_t offset, size;
} strings[] = {
	STRING(REPORT_CYCLE, cycle.backend),
	STRING(REPORT_CYCLE, cycle.weaker),
	STRING(REPORT_CYCLE, cycle.reason),
	STRING(REPORT_TARGET, target.path),
	STRING(REPORT_TARGET, target.source),
	STRING(REPORT_TARGET, target.fstype),
	STRING(REPORT_TARGET, target.step),
	STRING(REPORT_SKIP, skip.path),
	STRING(REPORT_SKIP, skip.fstype),
	STRING(REPORT_SKIP, skip.reason),
	STRING(REPORT_HOOK, hook.path),
	STRING(REPORT_HOOK, hook.phase),
	STRING(REPORT_HOOK, hook.last_line),
};

TEST(strings_without_an_end_are_refused)
{
	struct ipc_reply reply;
	size_t i;

	connect_ends();
	for (i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		reply = good_reply(IPC_RECORD);
		reply.record.kind = strings[i].kind;
		CHECK_EQ(send_and_receive_reply(&reply), 0);
		memset((char *)&reply + strings[i].offset, 'a', strings[i].size);
		CHECK_EQ(send_and_receive_reply(&reply), -EPROTO);
	}
	reply = good_reply(IPC_ANSWER);
	memset(reply.text, 'a', sizeof(reply.text));
	CHECK_EQ(send_and_receive_reply(&reply), -EPROTO);
}

/* In a directory of the test's own. */
static const char *socket_path(void)
{
	static char path[64] = "/tmp/kfreeze-ipc-XXXXXX";

	CHECK(mkdtemp(path) != NULL);
	strcat(path, "/socket");
	return path;
}

static void remove_socket(const char *path)
{
	char directory[64];

	strcpy(directory, path);
	*strrchr(directory, '/') = '\0';
	unlink(path);
	rmdir(directory);
}

TEST(only_one_listens_at_a_path)
{
	const char *path = socket_path();
	int listener, fd, other;
	struct stat st;

	CHECK_EQ(ipc_connect(path), -ENOENT);
	listener = ipc_listen(path);
	CHECK(listener >= 0);
	CHECK_EQ(stat(path, &st), 0);
	CHECK_EQ(st.st_mode, S_IFSOCK | 0600);
	fd = ipc_connect(path);
	CHECK(fd >= 0);
	CHECK_EQ(ipc_listen(path), -EADDRINUSE);
	close(listener);
	CHECK_EQ(ipc_connect(path), -ECONNREFUSED);
	other = ipc_listen(path);
	remove_socket(path);
	CHECK(other >= 0);
}

TEST(a_path_must_fit)
{
	char path[200];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CHECK_EQ(ipc_listen(path), -ENAMETOOLONG);
	CHECK_EQ(ipc_connect(path), -ENAMETOOLONG);
}
