// SPDX-License-Identifier: GPL-2.0
/*
 * Fixed-size messages over SOCK_SEQPACKET. Neither side trusts the other:
 * what is received is checked for size, values and terminated strings.
 */
#include "ipc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "seqpacket.h"

#define IS_STRING(array) (memchr(array, '\0', sizeof(array)) != NULL)
#define ERRNO_MAX 4095 /* the kernel's */
#define BACKLOG 8

/* Connected or bound, as @join does. */
static int open_socket(const char *path,
		       int (*join)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!join(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int ipc_connect(const char *path)
{
	return open_socket(path, connect);
}

int ipc_listen(const char *path)
{
	int fd = ipc_connect(path), err;
	mode_t mask;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -EAGAIN)
		return -EADDRINUSE;
	if (fd == -ECONNREFUSED)
		unlink(path);
	mask = umask(0177);
	fd = open_socket(path, bind);
	umask(mask);
	if (fd < 0 || !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void ipc_fill_answer(struct ipc_reply *reply, uint32_t id, int err,
		     unsigned int count, const char *text)
{
	memset(reply, 0, sizeof(*reply)); /* also the padding: it is sent */
	reply->type = IPC_ANSWER;
	reply->id = id;
	reply->err = err;
	reply->count = count;
	snprintf(reply->text, sizeof(reply->text), "%s", text);
}

/* 0 or -errno, and so one that may be negated. */
static bool is_result(int32_t err)
{
	return err <= 0 && err >= -ERRNO_MAX;
}

static int send_message(int fd, const void *message, size_t size)
{
	ssize_t sent;

	do {
		sent = send(fd, message, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	/* a packet is sent as a whole or not at all */
	return 0;
}

static int receive_message(int fd, void *message, size_t size)
{
	ssize_t received = seqpacket_receive(fd, message, size,
					     MSG_TRUNC | MSG_DONTWAIT);

	if (received < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (received == 0)
		return -EPIPE;
	return (size_t)received == size ? 0 : -EPROTO;
}

static bool paths_are_valid(const char *text, uint32_t size)
{
	return size && size <= IPC_PATHS_SIZE && !text[size - 1];
}

static bool request_is_valid(const struct ipc_request *request)
{
	switch (request->type) {
	case IPC_HELLO:
	case IPC_THAW:
	case IPC_STATUS:
	case IPC_REPORT:
		return true;
	case IPC_ADD_PATHS:
		return paths_are_valid(request->paths.text, request->paths.size);
	case IPC_FREEZE:
		return request->freeze.listed <= 1 &&
		       request->freeze.nr_paths <= IPC_MAX_PATHS &&
		       (request->freeze.listed || !request->freeze.nr_paths);
	case IPC_QUERY:
		return query_is_valid(&request->query);
	default:
		return false;
	}
}

static bool record_is_valid(const struct report_record *record)
{
	switch (record->kind) {
	case REPORT_CYCLE:
		return record->cycle.verdict <= REPORT_VERDICT_MAX &&
		       record->cycle.application <= REPORT_APPLICATION_MAX &&
		       IS_STRING(record->cycle.backend) &&
		       IS_STRING(record->cycle.weaker) &&
		       IS_STRING(record->cycle.reason);
	case REPORT_TARGET:
		return IS_STRING(record->target.path) &&
		       IS_STRING(record->target.source) &&
		       IS_STRING(record->target.fstype) &&
		       IS_STRING(record->target.step) &&
		       is_result(record->target.err);
	case REPORT_SKIP:
		return IS_STRING(record->skip.path) &&
		       IS_STRING(record->skip.fstype) &&
		       IS_STRING(record->skip.reason);
	case REPORT_HOOK:
		return IS_STRING(record->hook.path) &&
		       IS_STRING(record->hook.phase) &&
		       IS_STRING(record->hook.last_line) &&
		       record->hook.timed_out <= 1;
	default:
		return false;
	}
}

static bool reply_is_valid(const struct ipc_reply *reply)
{
	if (reply->state > IPC_STATE_MAX || !is_result(reply->err))
		return false;
	switch (reply->type) {
	case IPC_ANSWER:
		return IS_STRING(reply->text);
	case IPC_STATE_CHANGED:
		return reply->id == 0 && IS_STRING(reply->text);
	case IPC_RECORD:
		return record_is_valid(&reply->record);
	case IPC_QUERY_RECORD:
		return query_record_is_valid(&reply->query_record);
	default:
		return false;
	}
}

int ipc_send_request(int fd, const struct ipc_request *request)
{
	return send_message(fd, request, sizeof(*request));
}

int ipc_receive_request(int fd, struct ipc_request *request)
{
	int err = receive_message(fd, request, sizeof(*request));

	if (err)
		return err;
	return request_is_valid(request) ? 0 : -EPROTO;
}

int ipc_send_reply(int fd, const struct ipc_reply *reply)
{
	return send_message(fd, reply, sizeof(*reply));
}

int ipc_receive_reply(int fd, struct ipc_reply *reply)
{
	int err = receive_message(fd, reply, sizeof(*reply));

	if (err)
		return err;
	return reply_is_valid(reply) ? 0 : -EPROTO;
}
