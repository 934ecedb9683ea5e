// SPDX-License-Identifier: GPL-2.0
/* A client of the kfreeze family, made for asking wrong things too. */
#include "client.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ANSWER_MS 5000 /* no request waits, so this is plenty */

static _Noreturn void die(const char *what, int err)
{
	printf("# client: %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

struct client *client_new(void)
{
	struct client *client = calloc(1, sizeof(*client));
	int on = 1;

	client->sock = nl_socket_alloc();
	if (!client->sock || genl_connect(client->sock))
		die("genl_connect", -ENOMEM);
	client->family = genl_ctrl_resolve(client->sock, KFREEZE_GENL_NAME);
	client->group = genl_ctrl_resolve_grp(client->sock, KFREEZE_GENL_NAME,
					      KFREEZE_MCGRP_EVENTS);
	if (client->family < 0 || client->group < 0)
		die("no family kfreeze with its group of events", -ENOENT);
	if (setsockopt(client_fd(client), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		       sizeof(on)))
		die("NETLINK_EXT_ACK", -errno);
	return client;
}

struct client *client_open(void)
{
	struct client *client = client_new();
	int err = client_command(client, KFREEZE_CMD_OPEN);

	if (err)
		die("OPEN", err);
	client->session = client->number;
	return client;
}

void client_close(struct client *client)
{
	nl_socket_free(client->sock);
	free(client);
}

int client_fd(struct client *client)
{
	return nl_socket_get_fd(client->sock);
}

uint32_t client_port(struct client *client)
{
	return nl_socket_get_local_port(client->sock);
}

static uint32_t get_u32(struct nlattr **tb, int type)
{
	return tb[type] ? nla_get_u32(tb[type]) : 0;
}

static uint64_t get_u64(struct nlattr **tb, int type)
{
	return tb[type] ? nla_get_u64(tb[type]) : 0;
}

static void parse_target(struct nlattr *nest, struct client_target *target)
{
	struct nlattr *tb[KFREEZE_A_TARGET_MAX + 1];

	if (!nest || nla_parse_nested(tb, KFREEZE_A_TARGET_MAX, nest, NULL))
		return;
	target->present = true;
	target->index = get_u32(tb, KFREEZE_A_TARGET_INDEX);
	target->major = get_u32(tb, KFREEZE_A_TARGET_MAJOR);
	target->minor = get_u32(tb, KFREEZE_A_TARGET_MINOR);
	target->level = nla_get_u8(tb[KFREEZE_A_TARGET_LEVEL]);
	target->state = get_u32(tb, KFREEZE_A_TARGET_STATE);
	target->step = get_u32(tb, KFREEZE_A_TARGET_STEP);
	target->error = (int)get_u32(tb, KFREEZE_A_TARGET_ERROR);
	snprintf(target->fstype, sizeof(target->fstype), "%s",
		 nla_get_string(tb[KFREEZE_A_TARGET_FSTYPE]));
	target->flush_ns = get_u64(tb, KFREEZE_A_TARGET_FLUSH_NS);
	target->freeze_ns = get_u64(tb, KFREEZE_A_TARGET_FREEZE_NS);
	target->hold_ns = get_u64(tb, KFREEZE_A_TARGET_HOLD_NS);
	target->thaw_ns = get_u64(tb, KFREEZE_A_TARGET_THAW_NS);
}

static void parse_info(struct nlattr **tb, struct client_info *info)
{
	memset(info, 0, sizeof(*info));
	if (tb[KFREEZE_A_VERSION])
		snprintf(info->version, sizeof(info->version), "%s",
			 nla_get_string(tb[KFREEZE_A_VERSION]));
	info->holder = get_u32(tb, KFREEZE_A_HOLDER);
	info->max_targets = get_u32(tb, KFREEZE_A_MAX_TARGETS);
	info->max_sessions = get_u32(tb, KFREEZE_A_MAX_SESSIONS);
	info->timeout_ms = get_u32(tb, KFREEZE_A_TIMEOUT_MS);
	info->max_timeout_ms = get_u32(tb, KFREEZE_A_MAX_TIMEOUT_MS);
	info->flush_timeout_ms = get_u32(tb, KFREEZE_A_FLUSH_TIMEOUT_MS);
	info->min_interval_ms = get_u32(tb, KFREEZE_A_MIN_INTERVAL_MS);
}

static void parse_result(struct nlmsghdr *hdr, struct client_result *result)
{
	struct nlattr *tb[KFREEZE_A_MAX + 1];

	memset(result, 0, sizeof(*result));
	if (genlmsg_parse(hdr, 0, tb, KFREEZE_A_MAX, NULL))
		die("malformed message of the kernel", -EPROTO);
	result->cmd = ((struct genlmsghdr *)nlmsg_data(hdr))->cmd;
	result->session = get_u32(tb, KFREEZE_A_SESSION);
	result->cycle = get_u32(tb, KFREEZE_A_CYCLE);
	result->state = get_u32(tb, KFREEZE_A_STATE);
	result->verdict = get_u32(tb, KFREEZE_A_VERDICT);
	result->cause = get_u32(tb, KFREEZE_A_CAUSE);
	result->event = get_u32(tb, KFREEZE_A_EVENT);
	result->error = (int)get_u32(tb, KFREEZE_A_ERROR);
	result->nr_targets = get_u32(tb, KFREEZE_A_NR_TARGETS);
	result->nr_frozen = get_u32(tb, KFREEZE_A_NR_FROZEN);
	result->nr_stuck = get_u32(tb, KFREEZE_A_NR_STUCK);
	result->remaining_ms = get_u32(tb, KFREEZE_A_REMAINING_MS);
	result->hold_ns = get_u64(tb, KFREEZE_A_HOLD_NS);
	parse_target(tb[KFREEZE_A_TARGET], &result->target);
}

static void keep_result(struct client *client, struct nlmsghdr *hdr)
{
	struct client_result **tail = &client->results;

	while (*tail)
		tail = &(*tail)->next;
	*tail = malloc(sizeof(**tail));
	parse_result(hdr, *tail);
}

static int parse_error(struct client *client, struct nlmsghdr *hdr)
{
	struct nlmsgerr *error = nlmsg_data(hdr);
	int at = sizeof(*error);
	struct nlattr *attr;

	client->text[0] = '\0';
	client->offset = 0;
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
		return error->error;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		at += error->msg.nlmsg_len - sizeof(error->msg);
	attr = nlmsg_find_attr(hdr, NLMSG_ALIGN(at), NLMSGERR_ATTR_MSG);
	if (attr)
		snprintf(client->text, sizeof(client->text), "%s",
			 nla_get_string(attr));
	attr = nlmsg_find_attr(hdr, NLMSG_ALIGN(at), NLMSGERR_ATTR_OFFS);
	if (attr)
		client->offset = nla_get_u32(attr);
	return error->error;
}

/* Read what has come within @timeout_ms into @buffer; its length or -errno. */
static int receive(struct client *client, char *buffer, size_t size,
		   int timeout_ms)
{
	struct pollfd p = {.fd = client_fd(client), .events = POLLIN};
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);
	ssize_t got;

	if (poll(&p, 1, timeout_ms) != 1)
		return -ETIMEDOUT;
	got = recvfrom(p.fd, buffer, size, 0, (struct sockaddr *)&from, &len);
	if (got < 0)
		return -errno;
	if (from.nl_pid != 0)
		die("a message not of the kernel", -EPROTO);
	return got;
}

static bool is_result(const struct nlmsghdr *hdr)
{
	uint8_t cmd = ((struct genlmsghdr *)nlmsg_data(hdr))->cmd;

	return hdr->nlmsg_seq == 0 &&
	       (cmd == KFREEZE_CMD_RESULT || cmd == KFREEZE_CMD_EVENT);
}

/* One datagram: results are kept, 1 if the ACK or error of @seq was there. */
static int take(struct client *client, char *buffer, int len, uint32_t seq,
		int *err)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)buffer;
	struct nlattr *tb[KFREEZE_A_MAX + 1];
	int done = 0;

	for (; nlmsg_ok(hdr, len); hdr = nlmsg_next(hdr, &len)) {
		if (hdr->nlmsg_type == NLMSG_ERROR) {
			if (hdr->nlmsg_seq != seq)
				continue;
			*err = parse_error(client, hdr);
			done = 1;
		} else if (is_result(hdr)) {
			keep_result(client, hdr);
		} else if (hdr->nlmsg_seq == seq &&
			   !genlmsg_parse(hdr, 0, tb, KFREEZE_A_MAX, NULL)) {
			client->number = get_u32(tb, KFREEZE_A_SESSION) +
					 get_u32(tb, KFREEZE_A_CYCLE) +
					 get_u32(tb, KFREEZE_A_NR_SESSIONS);
			parse_info(tb, &client->info);
		}
	}
	return done;
}

struct nl_msg *client_message(struct client *client, uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(65536);

	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, client->family, 0,
		    NLM_F_REQUEST | NLM_F_ACK, cmd, KFREEZE_GENL_VERSION);
	return msg;
}

int client_post(struct client *client, struct nl_msg *msg, uint32_t *seq)
{
	int err;

	nl_complete_msg(client->sock, msg);
	*seq = nlmsg_hdr(msg)->nlmsg_seq;
	err = nl_send(client->sock, msg);
	nlmsg_free(msg);
	return err < 0 ? err : 0;
}

int client_answer(struct client *client, uint32_t seq)
{
	char buffer[16384];
	int err = 0, len;

	do {
		len = receive(client, buffer, sizeof(buffer), ANSWER_MS);
		if (len == -ENOBUFS)
			return len;
		if (len < 0)
			die("no answer to a request", len);
	} while (!take(client, buffer, len, seq, &err));
	return err;
}

int client_try(struct client *client, struct nl_msg *msg)
{
	uint32_t seq;

	if (client_post(client, msg, &seq))
		die("nl_send", -EIO);
	return client_answer(client, seq);
}

int client_send(struct client *client, struct nl_msg *msg)
{
	int err;

	for (;;) {
		nlmsg_get(msg);
		err = client_try(client, msg);
		if (err != -EAGAIN || strcmp(client->text, CLIENT_TOO_SOON))
			break;
		nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
		poll(NULL, 0, 5);
	}
	nlmsg_free(msg);
	return err;
}

int client_command(struct client *client, uint8_t cmd)
{
	return client_send(client, client_message(client, cmd));
}

struct nl_msg *client_freeze_message(struct client *client,
				     const struct client_request *request)
{
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_FREEZE);
	struct nlattr *targets, *target;
	int i;

	targets = nla_nest_start(msg, KFREEZE_A_TARGETS | NLA_F_NESTED);
	for (i = 0; i < request->nr; i++) {
		target = nla_nest_start(msg, KFREEZE_A_TARGET | NLA_F_NESTED);
		nla_put_s32(msg, KFREEZE_A_TARGET_FD, request->fds[i]);
		if (request->levels)
			nla_put_u8(msg, KFREEZE_A_TARGET_LEVEL,
				   request->levels[i]);
		if (request->disks)
			nla_put_u32(msg, KFREEZE_A_TARGET_DISK,
				    request->disks[i]);
		nla_nest_end(msg, target);
	}
	nla_nest_end(msg, targets);
	if (request->timeout_ms)
		nla_put_u32(msg, KFREEZE_A_TIMEOUT_MS, request->timeout_ms);
	if (request->flush_timeout_ms)
		nla_put_u32(msg, KFREEZE_A_FLUSH_TIMEOUT_MS,
			    request->flush_timeout_ms);
	return msg;
}

int client_freeze(struct client *client, const struct client_request *request)
{
	return client_send(client, client_freeze_message(client, request));
}

bool client_wait(struct client *client, struct client_result *result,
		 int timeout_ms)
{
	int64_t until = now_ms() + timeout_ms;
	struct client_result *first;
	char buffer[16384];
	int err, len;

	while (!client->results) {
		int64_t left = until - now_ms();

		len = receive(client, buffer, sizeof(buffer),
			      left > 0 ? left : 0);
		if (len == -ETIMEDOUT)
			return false;
		if (len < 0)
			die("recv", len);
		take(client, buffer, len, 0, &err);
	}
	first = client->results;
	*result = *first;
	client->results = first->next;
	free(first);
	return true;
}

int client_status(struct client *client, struct client_result *messages, int max)
{
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_STATUS);
	struct client_result message;
	char buffer[32768];
	uint32_t seq;
	int len, nr = 0;

	nlmsg_hdr(msg)->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nl_complete_msg(client->sock, msg);
	seq = nlmsg_hdr(msg)->nlmsg_seq;
	nl_send(client->sock, msg);
	nlmsg_free(msg);
	for (;;) {
		struct nlmsghdr *hdr = (struct nlmsghdr *)buffer;

		len = receive(client, buffer, sizeof(buffer), ANSWER_MS);
		if (len < 0)
			die("no answer to STATUS", len);
		for (; nlmsg_ok(hdr, len); hdr = nlmsg_next(hdr, &len)) {
			if (hdr->nlmsg_seq != seq) {
				if (is_result(hdr))
					keep_result(client, hdr);
				continue;
			}
			if (hdr->nlmsg_type == NLMSG_ERROR)
				return parse_error(client, hdr);
			if (hdr->nlmsg_type == NLMSG_DONE)
				return nr;
			parse_result(hdr, &message);
			if (client->session && message.session != client->session)
				continue;
			if (nr < max)
				messages[nr] = message;
			nr++;
		}
	}
}

struct client_info client_info(void)
{
	struct client *client = client_new();
	int err = client_command(client, KFREEZE_CMD_INFO);
	struct client_info info = client->info;

	if (err)
		die("INFO", err);
	client_close(client);
	return info;
}

uint32_t client_holder(void)
{
	return client_info().holder;
}

int client_listen(struct client *client)
{
	if (setsockopt(client_fd(client), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &client->group, sizeof(client->group)))
		return -errno;
	return 0;
}
