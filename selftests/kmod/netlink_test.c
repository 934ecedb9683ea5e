// SPDX-License-Identifier: GPL-2.0
/* Whatever is wrong gets an errno and a text, and nothing is frozen. */
#include "cycle.h"
#include "mapped.h"

#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <unistd.h>

#include "ktap.h"

void ktap_setup(void)
{
	mapped_setup();
}

void ktap_teardown(void)
{
	mapped_teardown();
	disk_umount_all();
}

struct target {
	int fd;
	int level; /* -1: none */
};

/* A FREEZE of what @targets say, -1 ending them. */
static struct nl_msg *freeze_message(struct client *client,
				     const struct target *targets)
{
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_FREEZE);
	struct nlattr *nest, *target;

	nest = nla_nest_start(msg, KFREEZE_A_TARGETS | NLA_F_NESTED);
	for (; targets->fd != -1; targets++) {
		target = nla_nest_start(msg, KFREEZE_A_TARGET | NLA_F_NESTED);
		nla_put_s32(msg, KFREEZE_A_TARGET_FD, targets->fd);
		if (targets->level >= 0)
			nla_put_u8(msg, KFREEZE_A_TARGET_LEVEL, targets->level);
		nla_nest_end(msg, target);
	}
	nla_nest_end_keep_empty(msg, nest);
	return msg;
}

static struct nl_msg *freeze_one(struct client *client, int fd)
{
	return freeze_message(client, (struct target[]){{fd, -1}, {-1, -1}});
}

TEST(session_is_opened_once)
{
	struct client *client = client_open();

	CHECK(client->number > 0);
	CHECK_EQ(client_command(client, KFREEZE_CMD_OPEN), -EBUSY);
	CHECK_STREQ(client->text, "this socket has a session already");
}

TEST(sessions_are_limited)
{
	struct client *client;
	int i;

	for (i = 0; i < KFREEZE_MAX_SESSIONS; i++)
		client_open();
	client = client_new();
	CHECK_EQ(client_command(client, KFREEZE_CMD_OPEN), -EUSERS);
	CHECK_STREQ(client->text, "too many sessions are open");
}

TEST(without_a_session_nothing_works)
{
	struct client *client = client_new();
	const char *dir = disk_mount(DISK_EXT4);

	CHECK_EQ(cycle_request(client, &dir, 1, 0), -EPERM);
	CHECK_STREQ(client->text, "this socket has no session: OPEN first");
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -EPERM);
	CHECK_STREQ(client->text, "this socket has no session: OPEN first");
}

TEST(thaw_of_nothing_is_an_error)
{
	struct client *client = client_open();

	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -ESRCH);
	CHECK_STREQ(client->text, "nothing is frozen");
}

TEST(second_freeze_is_busy)
{
	struct client *client = client_open(), *other = client_open();
	const char *dir = disk_mount(DISK_EXT4);

	cycle_freeze(client, &dir, 1, 20000);
	CHECK_EQ(cycle_request(client, &dir, 1, 20000), -EBUSY);
	CHECK_STREQ(client->text, "a cycle is under way: THAW first");
	CHECK_EQ(cycle_request(other, &dir, 1, 20000), -EBUSY);
	CHECK_STREQ(other->text, "another cycle holds this filesystem");
	CHECK_EQ(client_command(other, KFREEZE_CMD_THAW), -ESRCH);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

/* What hangs in its thaw is neither thawed twice nor ended once more. */
TEST_TIMEOUT(cycle_ends_once, 60)
{
	struct client *client = client_open(), *admin = client_open();
	const char *dir = MAPPED;

	mapped_mount("nobarrier,noinit_itable");
	cycle_freeze(client, &dir, 1, 20000);
	mapped_hang();
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), 0);
	CHECK_EQ(client_command(client, KFREEZE_CMD_THAW), -EALREADY);
	CHECK_STREQ(client->text, "the cycle is being thawed already");
	CHECK_EQ(client_command(admin, KFREEZE_CMD_RESCUE), 0);
	CHECK_EQ(admin->number, 0);
	mapped_resume();
	CHECK_EQ(cycle_result(client).cause, KFREEZE_CAUSE_THAW);
}

TEST(rescue_tells_how_many_cycles_it_ends)
{
	struct client *clients[] = {client_open(), client_open(), client_open()};
	const char *dirs[] = {disk_mount(DISK_EXT4), disk_mount(DISK_EXT4_2)};
	int i;

	for (i = 0; i < 2; i++)
		cycle_freeze(clients[i], &dirs[i], 1, 20000);
	CHECK_EQ(client_command(clients[2], KFREEZE_CMD_RESCUE), 0);
	CHECK_EQ(clients[2]->number, 2);
	for (i = 0; i < 2; i++)
		CHECK_EQ(cycle_result(clients[i]).cause, KFREEZE_CAUSE_RESCUE);
}

#define TIMEOUT_TEXT \
	"TIMEOUT_MS is out of range: 1 to MAX_TIMEOUT_MS, which INFO tells"
#define FLUSH_TIMEOUT_TEXT "FLUSH_TIMEOUT_MS is out of range: 1 to 600000"

TEST(timeouts_have_bounds)
{
	static const struct {
		int attr;
		uint32_t ms;
		const char *text;
	} rows[] = {
		{KFREEZE_A_TIMEOUT_MS, 0, TIMEOUT_TEXT},
		{KFREEZE_A_TIMEOUT_MS, 120001, TIMEOUT_TEXT},
		{KFREEZE_A_TIMEOUT_MS, UINT32_MAX, TIMEOUT_TEXT},
		{KFREEZE_A_FLUSH_TIMEOUT_MS, 0, FLUSH_TIMEOUT_TEXT},
		{KFREEZE_A_FLUSH_TIMEOUT_MS, 600001, FLUSH_TIMEOUT_TEXT},
		{KFREEZE_A_FLUSH_TIMEOUT_MS, UINT32_MAX, FLUSH_TIMEOUT_TEXT},
	};
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		msg = freeze_one(client, fd);
		nla_put_u32(msg, rows[i].attr, rows[i].ms);
		CHECK_EQ(client_send(client, msg), -ERANGE);
		CHECK_STREQ(client->text, rows[i].text);
	}
}

TEST(levels_have_bounds)
{
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct target targets[] = {{fd, 64}, {-1, -1}};

	CHECK_EQ(client_send(client, freeze_message(client, targets)), -ERANGE);
	CHECK_STREQ(client->text, "TARGET_LEVEL is out of range: 0 to 63");
	targets[0].level = 63;
	CHECK_EQ(client_send(client, freeze_message(client, targets)), 0);
	CHECK_EQ(cycle_result(client).state, KFREEZE_STATE_FROZEN);
	CHECK_EQ(cycle_thaw(client).verdict, KFREEZE_VERDICT_OK);
}

TEST(targets_are_mandatory)
{
	struct client *client = client_open();

	CHECK_EQ(client_command(client, KFREEZE_CMD_FREEZE), -EINVAL);
	CHECK_STREQ(client->text, "TARGETS is mandatory");
	CHECK_EQ(client_send(client,
			     freeze_message(client, (struct target[]){{-1, -1}})),
		 -EINVAL);
	CHECK_STREQ(client->text, "TARGETS is empty");
}

TEST(targets_have_nothing_but_targets)
{
	static const int attrs[] = {KFREEZE_A_PAD, KFREEZE_A_TARGETS,
				    KFREEZE_A_STATE, 200};
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct nlattr *nest, *target;
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		msg = client_message(client, KFREEZE_CMD_FREEZE);
		nest = nla_nest_start(msg, KFREEZE_A_TARGETS | NLA_F_NESTED);
		target = nla_nest_start(msg, attrs[i] | NLA_F_NESTED);
		nla_put_s32(msg, KFREEZE_A_TARGET_FD, fd);
		nla_nest_end(msg, target);
		nla_nest_end(msg, nest);
		CHECK_EQ(client_send(client, msg), -EINVAL);
		CHECK_STREQ(client->text, "TARGETS has nests TARGET only");
	}
}

TEST(target_without_descriptor_is_an_error)
{
	struct client *client = client_open();
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_FREEZE);
	struct nlattr *nest, *target;

	nest = nla_nest_start(msg, KFREEZE_A_TARGETS | NLA_F_NESTED);
	target = nla_nest_start(msg, KFREEZE_A_TARGET | NLA_F_NESTED);
	nla_put_u8(msg, KFREEZE_A_TARGET_LEVEL, 1);
	nla_nest_end(msg, target);
	nla_nest_end(msg, nest);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "TARGET_FD is mandatory");
}

TEST(too_many_targets_are_refused)
{
	static struct target targets[KFREEZE_MAX_TARGETS + 2];
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	int i;

	for (i = 0; i <= KFREEZE_MAX_TARGETS; i++)
		targets[i] = (struct target){fd, -1};
	targets[i].fd = -1;
	CHECK_EQ(client_send(client, freeze_message(client, targets)), -E2BIG);
	CHECK_STREQ(client->text, "more than 1024 targets");
	targets[KFREEZE_MAX_TARGETS].fd = -1;
	CHECK_EQ(client_send(client, freeze_message(client, targets)), -EEXIST);
}

TEST(unknown_attributes_are_refused)
{
	static const uint8_t commands[] = {
		KFREEZE_CMD_INFO, KFREEZE_CMD_OPEN,   KFREEZE_CMD_FREEZE,
		KFREEZE_CMD_THAW, KFREEZE_CMD_STATUS, KFREEZE_CMD_RESCUE,
	};
	static const int attrs[] = {KFREEZE_A_PAD, KFREEZE_A_CYCLE, 200};
	struct client *client = client_open();
	struct nl_msg *msg;
	size_t i, j;

	for (i = 0; i < sizeof(commands); i++) {
		for (j = 0; j < sizeof(attrs) / sizeof(attrs[0]); j++) {
			msg = client_message(client, commands[i]);
			nla_put_u32(msg, attrs[j], 1);
			if (commands[i] == KFREEZE_CMD_STATUS)
				nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
			CHECK_EQ(client_send(client, msg), -EINVAL);
			CHECK(client->text[0]);
		}
	}
}

TEST(malformed_attributes_are_refused)
{
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct nl_msg *msg;

	/* a timeout of two bytes */
	msg = freeze_one(client, fd);
	nla_put_u16(msg, KFREEZE_A_TIMEOUT_MS, 1);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "invalid attribute length");

	/* an attribute longer than its message */
	msg = freeze_one(client, fd);
	((struct nlattr *)nlmsg_attrdata(nlmsg_hdr(msg), GENL_HDRLEN))->nla_len +=
		64;
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK(client->text[0]);

	/* a target that is no nest */
	msg = client_message(client, KFREEZE_CMD_FREEZE);
	nla_put_u32(msg, KFREEZE_A_TARGETS | NLA_F_NESTED, 7);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "TARGETS is malformed");
	msg = client_message(client, KFREEZE_CMD_FREEZE);
	nla_put_u8(msg, KFREEZE_A_TARGETS | NLA_F_NESTED, 7);
	CHECK_EQ(client_send(client, msg), -ERANGE);
	CHECK(client->text[0]);

	/* a message cut off inside the generic header */
	msg = client_message(client, KFREEZE_CMD_FREEZE);
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN + 2;
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK(disk_writable("/tmp/ext4"));
}

/* A FREEZE of one target whose attribute is @len bytes long. */
static struct nl_msg *freeze_wide(struct client *client, int attr, size_t len)
{
	static const char zeros[16];
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_FREEZE);
	struct nlattr *nest, *target;

	nest = nla_nest_start(msg, KFREEZE_A_TARGETS | NLA_F_NESTED);
	target = nla_nest_start(msg, KFREEZE_A_TARGET | NLA_F_NESTED);
	nla_put(msg, attr, len, zeros);
	nla_nest_end(msg, target);
	nla_nest_end(msg, nest);
	return msg;
}

TEST(oversized_attributes_are_refused)
{
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct nlattr *nest, *target;
	struct nl_msg *msg;

	msg = freeze_one(client, fd);
	nla_put_u64(msg, KFREEZE_A_TIMEOUT_MS, 1000);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "invalid attribute length");
	msg = freeze_wide(client, KFREEZE_A_TARGET_FD, 8);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "invalid attribute length");
	msg = freeze_wide(client, KFREEZE_A_TARGET_LEVEL, 4);
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "invalid attribute length");

	/* a target longer than the targets, an attribute longer than its target */
	msg = freeze_one(client, fd);
	nest = nlmsg_attrdata(nlmsg_hdr(msg), GENL_HDRLEN);
	target = nla_data(nest);
	target->nla_len += 4;
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK_STREQ(client->text, "TARGETS is malformed");
	msg = freeze_one(client, fd);
	nest = nlmsg_attrdata(nlmsg_hdr(msg), GENL_HDRLEN);
	target = nla_data(nest);
	((struct nlattr *)nla_data(target))->nla_len += 4;
	CHECK_EQ(client_send(client, msg), -EINVAL);
	CHECK(client->text[0]);
	CHECK(disk_writable("/tmp/ext4"));
}

/* The third of four targets, in the message itself. */
static struct nlattr *third_target(struct nl_msg *msg)
{
	struct nlattr *targets = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN,
						 KFREEZE_A_TARGETS);
	int left = nla_len(targets);

	return nla_next(nla_next(nla_data(targets), &left), &left);
}

static void check_error_points_at(struct client *client, struct nl_msg *msg,
				  const struct nlattr *attr, int err)
{
	ptrdiff_t offset = (char *)attr - (char *)nlmsg_hdr(msg);

	CHECK_EQ(client_send(client, msg), err);
	CHECK_EQ(client->offset, offset);
}

TEST(error_points_at_the_target_at_fault)
{
	struct client *client = client_open(), *other = client_open();
	const char *held = disk_mount(DISK_EXT4_2);
	struct target targets[] = {
		{disk_open(disk_mount(DISK_EXT4)), 1},
		{disk_open(disk_mount(DISK_EXT4_3)), 1},
		{-1, -1},
		{disk_open(disk_mount(DISK_XFS)), 1},
		{-1, -1},
	};
	const struct {
		struct target target;
		int err;
		int attr; /* of the target, 0: all of it */
	} rows[] = {
		{targets[0], -EEXIST, 0},
		{{disk_open(held), 1}, -EBUSY, 0},
		{{999, 1}, -EBADF, KFREEZE_A_TARGET_FD},
		{{disk_open("/tmp"), 1}, -EOPNOTSUPP, KFREEZE_A_TARGET_FD},
		{{disk_open(held), 64}, -ERANGE, KFREEZE_A_TARGET_LEVEL},
	};
	struct nlattr *attr;
	struct nl_msg *msg;
	size_t i;

	cycle_freeze(other, &held, 1, 20000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		targets[2] = rows[i].target;
		msg = freeze_message(client, targets);
		attr = third_target(msg);
		if (rows[i].attr)
			attr = nla_find(nla_data(attr), nla_len(attr),
					rows[i].attr);
		check_error_points_at(client, msg, attr, rows[i].err);
	}
	CHECK_EQ(cycle_thaw(other).verdict, KFREEZE_VERDICT_OK);
}

TEST(error_points_at_the_timeout_at_fault)
{
	static const int attrs[] = {KFREEZE_A_TIMEOUT_MS,
				    KFREEZE_A_FLUSH_TIMEOUT_MS};
	struct client *client = client_open();
	int fd = disk_open(disk_mount(DISK_EXT4));
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		msg = freeze_one(client, fd);
		nla_put_u32(msg, attrs[i], 0);
		check_error_points_at(client, msg,
				      nlmsg_find_attr(nlmsg_hdr(msg),
						      GENL_HDRLEN, attrs[i]),
				      -ERANGE);
	}
}

TEST(unknown_commands_are_refused)
{
	struct client *client = client_open();

	CHECK_EQ(client_command(client, KFREEZE_CMD_RESULT), -EOPNOTSUPP);
	CHECK_EQ(client_command(client, KFREEZE_CMD_EVENT), -EOPNOTSUPP);
	CHECK_EQ(client_command(client, 99), -EOPNOTSUPP);
}

TEST(only_status_is_a_dump)
{
	struct client *client = client_open();
	struct nl_msg *msg = client_message(client, KFREEZE_CMD_INFO);

	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
	CHECK_EQ(client_send(client, msg), -EOPNOTSUPP);
	CHECK_EQ(client_command(client, KFREEZE_CMD_STATUS), -EOPNOTSUPP);
}
