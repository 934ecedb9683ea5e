// SPDX-License-Identifier: GPL-2.0
/* Requests of the family for a fuzzer: valid, nearly valid, spoilt. */
#include "fuzz_message.h"

#include <linux/genetlink.h>
#include <linux/kfreeze.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAYLOAD (NLMSG_HDRLEN + GENL_HDRLEN)
#define NEST(type) ((type) | NLA_F_NESTED)
#define TIMEOUT_MS 200 /* a freeze takes about half of it */
#define ROOM_OF_NEST 64 /* enough to end what has been begun */

static uint32_t next(struct fuzz *fuzz)
{
	fuzz->state ^= fuzz->state << 13;
	fuzz->state ^= fuzz->state >> 7;
	fuzz->state ^= fuzz->state << 17;
	return fuzz->state >> 16;
}

uint32_t fuzz_below(struct fuzz *fuzz, uint32_t bound)
{
	return bound ? next(fuzz) % bound : 0;
}

static bool one_in(struct fuzz *fuzz, uint32_t chances)
{
	return fuzz_below(fuzz, chances) == 0;
}

/* At a bound of something, or anywhere. */
static uint32_t any_number(struct fuzz *fuzz)
{
	static const uint32_t bounds[] = {
		0,	1,	2,	63,	 64,	    255,
		256,	999,	1000,	1001,	 65535,	    120000,
		120001, 600000, 600001, 1 << 31, INT32_MAX, UINT32_MAX,
	};

	if (one_in(fuzz, 4))
		return next(fuzz);
	return bounds[fuzz_below(fuzz, COUNT(bounds))];
}

static void put(struct fuzz_message *msg, uint16_t type, const void *value,
		size_t len)
{
	struct nlattr *attr = (struct nlattr *)(msg->data + msg->len);

	if (msg->len + NLA_HDRLEN + len + ROOM_OF_NEST > sizeof(msg->data))
		return;
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memset(attr + 1, 0, NLA_ALIGN(len));
	memcpy(attr + 1, value, len);
	msg->len += NLA_ALIGN(attr->nla_len);
}

static struct nlattr *nest_start(struct fuzz_message *msg, uint16_t type)
{
	struct nlattr *nest = (struct nlattr *)(msg->data + msg->len);

	nest->nla_type = type;
	msg->len += NLA_HDRLEN;
	return nest;
}

static void nest_end(struct fuzz_message *msg, struct nlattr *nest)
{
	nest->nla_len = msg->data + msg->len - (uint8_t *)nest;
}

/* Seldom of another type, of another length, or twice. */
static void put_number(struct fuzz *fuzz, struct fuzz_message *msg,
		       uint16_t type, uint32_t number, size_t len)
{
	uint8_t value[16] = {0};

	if (one_in(fuzz, 60))
		number = any_number(fuzz);
	memcpy(value, &number, sizeof(number));
	if (one_in(fuzz, 60))
		type = fuzz_below(fuzz, KFREEZE_A_MAX + 3);
	if (one_in(fuzz, 60))
		type |= one_in(fuzz, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
	if (one_in(fuzz, 60))
		len = fuzz_below(fuzz, sizeof(value));
	put(msg, type, value, len);
	if (one_in(fuzz, 60))
		put(msg, type, value, len);
}

static void put_target(struct fuzz *fuzz, struct fuzz_message *msg, int fd)
{
	uint16_t type = NEST(KFREEZE_A_TARGET);
	struct nlattr *nest;

	if (msg->len + 3 * ROOM_OF_NEST > sizeof(msg->data))
		return;
	if (one_in(fuzz, 100))
		type = one_in(fuzz, 2) ? KFREEZE_A_TARGET : next(fuzz);
	nest = nest_start(msg, type);
	if (one_in(fuzz, 4))
		put_number(fuzz, msg, KFREEZE_A_TARGET_LEVEL,
			   fuzz_below(fuzz, 4), 1);
	if (one_in(fuzz, 4))
		put_number(fuzz, msg, KFREEZE_A_TARGET_DISK,
			   fuzz_below(fuzz, 3), 4);
	if (!one_in(fuzz, 100))
		put_number(fuzz, msg, KFREEZE_A_TARGET_FD, fd, 4);
	if (one_in(fuzz, 100))
		put_number(fuzz, msg, fuzz_below(fuzz, KFREEZE_A_TARGET_MAX + 2),
			   any_number(fuzz), 4);
	nest_end(msg, nest);
}

/* At the bound of what is allowed: nothing else may be wrong then. */
static void put_many(struct fuzz *fuzz, struct fuzz_message *msg)
{
	uint32_t nr = KFREEZE_MAX_TARGETS + fuzz_below(fuzz, 2);
	int fd = fuzz->fds[fuzz_below(fuzz, fuzz->nr_filesystems)];
	struct nlattr *nest;

	while (nr--) {
		nest = nest_start(msg, NEST(KFREEZE_A_TARGET));
		put(msg, KFREEZE_A_TARGET_FD, &fd, sizeof(fd));
		nest_end(msg, nest);
	}
}

/* Different filesystems, but for some of the descriptors. */
static void put_few(struct fuzz *fuzz, struct fuzz_message *msg)
{
	uint32_t nr = fuzz_below(fuzz, 2 * fuzz->nr_filesystems);
	uint32_t at = fuzz_below(fuzz, fuzz->nr_filesystems);
	int fd;

	if (nr > fuzz->nr_filesystems)
		nr = 1;
	for (; nr--; at++) {
		fd = fuzz->fds[at % fuzz->nr_filesystems];
		if (one_in(fuzz, 12))
			fd = fuzz->fds[fuzz_below(fuzz, fuzz->nr_fds)];
		if (one_in(fuzz, 100))
			fd = any_number(fuzz);
		put_target(fuzz, msg, fd);
		if (one_in(fuzz, 12))
			put_target(fuzz, msg, fd);
	}
}

static void put_targets(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlattr *nest = nest_start(msg, NEST(KFREEZE_A_TARGETS));

	if (one_in(fuzz, 100))
		put_many(fuzz, msg);
	else
		put_few(fuzz, msg);
	nest_end(msg, nest);
}

static void put_freeze(struct fuzz *fuzz, struct fuzz_message *msg)
{
	uint32_t timeout_ms = 1 + fuzz_below(fuzz, TIMEOUT_MS);

	if (one_in(fuzz, 10))
		timeout_ms = any_number(fuzz);
	if (!one_in(fuzz, 10))
		put_number(fuzz, msg, KFREEZE_A_TIMEOUT_MS, timeout_ms, 4);
	if (!one_in(fuzz, 50))
		put_targets(fuzz, msg);
	if (one_in(fuzz, 10))
		put_number(fuzz, msg, KFREEZE_A_FLUSH_TIMEOUT_MS,
			   any_number(fuzz), 4);
}

/* What ends a cycle is rare: some cycles are to get far. */
static uint8_t any_command(struct fuzz *fuzz)
{
	static const uint8_t commands[] = {
		KFREEZE_CMD_INFO, KFREEZE_CMD_STATUS, KFREEZE_CMD_OPEN,
		KFREEZE_CMD_INFO, KFREEZE_CMD_STATUS, KFREEZE_CMD_OPEN,
		KFREEZE_CMD_INFO, KFREEZE_CMD_STATUS, KFREEZE_CMD_THAW,
	};

	if (!one_in(fuzz, 8))
		return KFREEZE_CMD_FREEZE;
	if (one_in(fuzz, 20))
		return one_in(fuzz, 2) ? KFREEZE_CMD_RESCUE : next(fuzz);
	return commands[fuzz_below(fuzz, COUNT(commands))];
}

static void build(struct fuzz *fuzz, struct fuzz_message *msg, uint32_t seq)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)msg->data;
	struct genlmsghdr *genl = (struct genlmsghdr *)(hdr + 1);

	memset(msg->data, 0, PAYLOAD);
	msg->len = PAYLOAD;
	genl->cmd = any_command(fuzz);
	genl->version = KFREEZE_GENL_VERSION;
	if (genl->cmd == KFREEZE_CMD_FREEZE)
		put_freeze(fuzz, msg);
	else if (one_in(fuzz, 10))
		put_number(fuzz, msg, fuzz_below(fuzz, KFREEZE_A_MAX + 2),
			   any_number(fuzz), 4);
	hdr->nlmsg_len = msg->len;
	hdr->nlmsg_type = fuzz->family;
	hdr->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (genl->cmd == KFREEZE_CMD_STATUS)
		hdr->nlmsg_flags |= NLM_F_DUMP;
	hdr->nlmsg_seq = seq;
}

/* Some attribute's header, or what may be taken for one; never 0 bytes. */
static struct nlattr *any_attr(struct fuzz *fuzz, struct fuzz_message *msg)
{
	size_t at = PAYLOAD;

	if (msg->len >= PAYLOAD + NLA_HDRLEN)
		at += NLA_ALIGNTO *
		      fuzz_below(fuzz, (msg->len - PAYLOAD) / NLA_ALIGNTO);
	return (struct nlattr *)(msg->data + at);
}

static void spoil_attr_length(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlattr *attr = any_attr(fuzz, msg);

	switch (fuzz_below(fuzz, 4)) {
	case 0:
		attr->nla_len = fuzz_below(fuzz, NLA_HDRLEN + 1);
		break;
	case 1:
		attr->nla_len++;
		break;
	case 2:
		attr->nla_len--;
		break;
	default:
		attr->nla_len = next(fuzz);
	}
}

static void spoil_attr_type(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlattr *attr = any_attr(fuzz, msg);

	attr->nla_type = one_in(fuzz, 4)
				 ? next(fuzz)
				 : NEST(fuzz_below(fuzz, KFREEZE_A_MAX + 2));
}

static void spoil_bytes(struct fuzz *fuzz, struct fuzz_message *msg)
{
	uint32_t nr = 1 + fuzz_below(fuzz, 8);

	while (msg->len > PAYLOAD && nr--)
		msg->data[PAYLOAD + fuzz_below(fuzz, msg->len - PAYLOAD)] = next(
			fuzz);
}

/* An attribute, a nest or a part of one, to where another one is. */
static void spoil_order(struct fuzz *fuzz, struct fuzz_message *msg)
{
	uint8_t *from = (uint8_t *)any_attr(fuzz, msg);
	uint8_t *to = (uint8_t *)any_attr(fuzz, msg);
	uint8_t *last = from > to ? from : to;
	size_t len = NLA_ALIGNTO * fuzz_below(fuzz, 16);

	if (last + len <= msg->data + msg->len)
		memmove(to, from, len);
}

static void spoil_end(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)msg->data;

	msg->len = 1 + fuzz_below(fuzz, msg->len);
	if (one_in(fuzz, 2))
		hdr->nlmsg_len = msg->len;
}

static void spoil_length(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)msg->data;

	hdr->nlmsg_len = one_in(fuzz, 4) ? any_number(fuzz)
					 : fuzz_below(fuzz, msg->len + 8);
}

/* Not of another family: what they do is not what is tested. */
static void spoil_header(struct fuzz *fuzz, struct fuzz_message *msg)
{
	struct nlmsghdr *hdr = (struct nlmsghdr *)msg->data;
	struct genlmsghdr *genl = (struct genlmsghdr *)(hdr + 1);

	switch (fuzz_below(fuzz, 4)) {
	case 0:
		hdr->nlmsg_flags = next(fuzz);
		break;
	case 1:
		hdr->nlmsg_flags ^= NLM_F_DUMP;
		break;
	case 2:
		hdr->nlmsg_type = fuzz_below(fuzz, NLMSG_MIN_TYPE);
		break;
	default:
		genl->version = next(fuzz);
		genl->reserved = next(fuzz);
	}
}

static void spoil(struct fuzz *fuzz, struct fuzz_message *msg)
{
	static void (*const ways[])(struct fuzz * fuzz,
				    struct fuzz_message * msg) = {
		spoil_attr_length, spoil_attr_length, spoil_attr_type,
		spoil_attr_type,   spoil_bytes,	      spoil_order,
		spoil_end,	   spoil_length,      spoil_header,
	};
	uint32_t nr = 1 + fuzz_below(fuzz, 3);

	while (nr--)
		ways[fuzz_below(fuzz, COUNT(ways))](fuzz, msg);
}

/* The next message. */
void fuzz_message(struct fuzz *fuzz, struct fuzz_message *msg, uint32_t seq)
{
	build(fuzz, msg, seq);
	if (one_in(fuzz, 3))
		spoil(fuzz, msg);
}
