// SPDX-License-Identifier: GPL-2.0
/*
 * The backend on kfreeze.ko: requests and results over generic netlink, as
 * <linux/kfreeze.h> describes them. No request waits: the kernel answers
 * within the call that sends it.
 */
#include "freezer.h"

#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BUFFER (1024 * 1024)
#define MAX_NOTICES 8
/* Four attribute headers, an s32, a u8 with its padding, a u32. */
#define ROOM_PER_TARGET 28

/* What the kernel says to one request. */
struct answer {
	uint32_t seq;
	bool complete;
	int err;
	uint32_t offset; /* of the attribute at fault, or 0 */
	char text[FREEZER_TEXT_MAX];
	uint32_t session, cycle;
	struct freezer_target *targets; /* filled by STATUS */
	size_t nr_targets;
};

static struct {
	struct nl_sock *sock;
	struct nl_cb *cb;
	int family;
	uint32_t session, cycle;
	struct answer *answer; /* of the request under way, or NULL */
	/* results that arrived with the answer to something else, and what is
	 * readable because of them: the socket is not any more */
	struct freezer_notice notices[MAX_NOTICES];
	size_t nr_notices;
	int notice_fd;
} state = {.notice_fd = -1};

static struct nla_policy policy[KFREEZE_A_MAX + 1] = {
	[KFREEZE_A_SESSION] = {.type = NLA_U32},
	[KFREEZE_A_CYCLE] = {.type = NLA_U32},
	[KFREEZE_A_STATE] = {.type = NLA_U32},
	[KFREEZE_A_VERDICT] = {.type = NLA_U32},
	[KFREEZE_A_CAUSE] = {.type = NLA_U32},
	[KFREEZE_A_NR_FROZEN] = {.type = NLA_U32},
	[KFREEZE_A_NR_STUCK] = {.type = NLA_U32},
	[KFREEZE_A_TARGET] = {.type = NLA_NESTED},
};

static struct nla_policy target_policy[KFREEZE_A_TARGET_MAX + 1] = {
	[KFREEZE_A_TARGET_INDEX] = {.type = NLA_U32},
	[KFREEZE_A_TARGET_STATE] = {.type = NLA_U32},
	[KFREEZE_A_TARGET_STEP] = {.type = NLA_U32},
	[KFREEZE_A_TARGET_ERROR] = {.type = NLA_S32},
	[KFREEZE_A_TARGET_FLUSH_NS] = {.type = NLA_U64},
	[KFREEZE_A_TARGET_FREEZE_NS] = {.type = NLA_U64},
	[KFREEZE_A_TARGET_HOLD_NS] = {.type = NLA_U64},
	[KFREEZE_A_TARGET_THAW_NS] = {.type = NLA_U64},
};

/* libnl's own codes end here. What the kernel refuses comes as an errno. */
static int to_errno(int code)
{
	switch (-code) {
	case NLE_SUCCESS:
		return 0;
	case NLE_AGAIN:
	case NLE_INTR:
		return -EAGAIN;
	case NLE_NOMEM: /* also ENOBUFS: messages were lost */
		return -ENOBUFS;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
		return -EPERM;
	default:
		return -ENOTCONN;
	}
}

static uint32_t get_u32(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u32(attrs[type]) : 0;
}

static uint64_t get_u64(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u64(attrs[type]) : 0;
}

/* The index of a message's TARGET, or -1 */
static long get_index(struct nlattr **attrs)
{
	struct nlattr *target[KFREEZE_A_TARGET_MAX + 1];

	if (!attrs[KFREEZE_A_TARGET] ||
	    nla_parse_nested(target, KFREEZE_A_TARGET_MAX,
			     attrs[KFREEZE_A_TARGET], target_policy) ||
	    !target[KFREEZE_A_TARGET_INDEX])
		return -1;
	return nla_get_u32(target[KFREEZE_A_TARGET_INDEX]);
}

static void get_notice(struct nlattr **attrs, struct freezer_notice *notice)
{
	*notice = (struct freezer_notice){
		.state = get_u32(attrs, KFREEZE_A_STATE),
		.verdict = get_u32(attrs, KFREEZE_A_VERDICT),
		.cause = get_u32(attrs, KFREEZE_A_CAUSE),
		.nr_frozen = get_u32(attrs, KFREEZE_A_NR_FROZEN),
		.nr_stuck = get_u32(attrs, KFREEZE_A_NR_STUCK),
		.blamed = get_index(attrs),
	};
}

/* FROZEN, or the end. A cycle has two results at most, so there is room. */
static void add_notice(struct nlattr **attrs)
{
	struct freezer_notice notice;

	get_notice(attrs, &notice);
	if (notice.state != KFREEZE_STATE_FROZEN &&
	    notice.state != KFREEZE_STATE_IDLE)
		return;
	if (state.nr_notices == MAX_NOTICES)
		return;
	state.notices[state.nr_notices++] = notice;
	eventfd_write(state.notice_fd, 1);
}

static void get_record(struct nlattr *attr, struct answer *answer)
{
	struct nlattr *attrs[KFREEZE_A_TARGET_MAX + 1];
	struct freezer_target *target;
	uint32_t index;

	if (nla_parse_nested(attrs, KFREEZE_A_TARGET_MAX, attr, target_policy))
		return;
	index = get_u32(attrs, KFREEZE_A_TARGET_INDEX);
	if (index >= answer->nr_targets)
		return;
	target = &answer->targets[index];
	target->state = get_u32(attrs, KFREEZE_A_TARGET_STATE);
	target->step = get_u32(attrs, KFREEZE_A_TARGET_STEP);
	target->err = attrs[KFREEZE_A_TARGET_ERROR]
			      ? nla_get_s32(attrs[KFREEZE_A_TARGET_ERROR])
			      : 0;
	target->flush_ns = get_u64(attrs, KFREEZE_A_TARGET_FLUSH_NS);
	target->freeze_ns = get_u64(attrs, KFREEZE_A_TARGET_FREEZE_NS);
	target->hold_ns = get_u64(attrs, KFREEZE_A_TARGET_HOLD_NS);
	target->thaw_ns = get_u64(attrs, KFREEZE_A_TARGET_THAW_NS);
}

/* One message of the STATUS dump, which shows other sessions too. */
static void get_status(struct nlattr **attrs, struct answer *answer)
{
	if (get_u32(attrs, KFREEZE_A_SESSION) != state.session)
		return;
	if (attrs[KFREEZE_A_TARGET])
		get_record(attrs[KFREEZE_A_TARGET], answer);
	else if (!answer->nr_targets && attrs[KFREEZE_A_CYCLE])
		add_notice(attrs);
}

static int on_source(struct nl_msg *msg, void *unused)
{
	(void)unused;
	/* only the kernel has port 0: anybody may send to our socket */
	return nlmsg_get_src(msg)->nl_pid ? NL_SKIP : NL_OK;
}

static int on_message(struct nl_msg *msg, void *unused)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct nlattr *attrs[KFREEZE_A_MAX + 1];
	struct answer *answer = state.answer;

	(void)unused;
	if (genlmsg_parse(header, 0, attrs, KFREEZE_A_MAX, policy))
		return NL_SKIP;
	switch (genlmsg_hdr(header)->cmd) {
	case KFREEZE_CMD_RESULT:
		add_notice(attrs);
		break;
	case KFREEZE_CMD_OPEN:
		state.session = get_u32(attrs, KFREEZE_A_SESSION);
		break;
	case KFREEZE_CMD_STATUS:
		if (answer)
			get_status(attrs, answer);
		break;
	default:
		break;
	}
	return NL_OK;
}

static int on_complete(struct nl_msg *msg, void *unused)
{
	struct answer *answer = state.answer;

	(void)unused;
	if (answer && nlmsg_hdr(msg)->nlmsg_seq == answer->seq)
		answer->complete = true;
	return NL_STOP;
}

/* The extended ack: a text, and where in the request the fault is. */
static void get_extack(struct nlmsgerr *error, struct answer *answer)
{
	struct nlmsghdr *header = (struct nlmsghdr *)error - 1;
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	int skip = sizeof(*error);

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	if (nlmsg_parse(header, skip, attrs, NLMSGERR_ATTR_MAX, NULL))
		return;
	if (attrs[NLMSGERR_ATTR_MSG])
		nla_strlcpy(answer->text, attrs[NLMSGERR_ATTR_MSG],
			    sizeof(answer->text));
	answer->offset = get_u32(attrs, NLMSGERR_ATTR_OFFS);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *unused)
{
	struct answer *answer = state.answer;

	(void)unused;
	if (from->nl_pid || !answer || error->msg.nlmsg_seq != answer->seq)
		return NL_SKIP;
	answer->err = error->error;
	answer->complete = true;
	get_extack(error, answer);
	return NL_STOP;
}

static struct nl_msg *new_request(enum kfreeze_cmd cmd, int flags, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + room);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, state.family, 0,
				flags, cmd, KFREEZE_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Send and take the answer, which is there when send returns. */
static int transact(struct nl_msg *msg, struct answer *answer)
{
	int err;

	err = nl_send_auto(state.sock, msg);
	if (err < 0)
		return to_errno(err);
	answer->seq = nlmsg_hdr(msg)->nlmsg_seq;
	state.answer = answer;
	do {
		err = to_errno(nl_recvmsgs(state.sock, state.cb));
		/* ENOBUFS: a result was lost, the answer may still come */
	} while ((!err || err == -ENOBUFS) && !answer->complete);
	state.answer = NULL;
	if (answer->complete)
		return answer->err;
	return err == -EAGAIN ? -ENOTCONN : err;
}

static int simple_request(enum kfreeze_cmd cmd, int flags, struct answer *answer)
{
	struct nl_msg *msg = new_request(cmd, flags, 0);
	int err;

	if (!msg)
		return -ENOMEM;
	err = transact(msg, answer);
	nlmsg_free(msg);
	return err;
}

static int set_up_callbacks(void)
{
	state.cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!state.cb)
		return -ENOMEM;
	nl_cb_set(state.cb, NL_CB_MSG_IN, NL_CB_CUSTOM, on_source, NULL);
	nl_cb_set(state.cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, NULL);
	nl_cb_set(state.cb, NL_CB_ACK, NL_CB_CUSTOM, on_complete, NULL);
	nl_cb_set(state.cb, NL_CB_FINISH, NL_CB_CUSTOM, on_complete, NULL);
	nl_cb_err(state.cb, NL_CB_CUSTOM, on_error, NULL);
	return 0;
}

static int set_up_socket(int epoll_fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int size = RECEIVE_BUFFER, on = 1, err, fd;

	err = to_errno(genl_connect(state.sock));
	if (err)
		return err;
	state.family = genl_ctrl_resolve(state.sock, KFREEZE_GENL_NAME);
	if (state.family < 0)
		return to_errno(state.family);
	/* libnl would insist on sequence numbers, which results do not have */
	nl_socket_disable_auto_ack(state.sock);
	nl_socket_set_nonblocking(state.sock);
	fd = nl_socket_get_fd(state.sock);
	/* a smaller buffer and shorter error texts would do */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	state.notice_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (state.notice_fd < 0 ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, state.notice_fd, &event) ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return 0;
}

static void kmod_close(void)
{
	nl_cb_put(state.cb);
	nl_socket_free(state.sock);
	if (state.notice_fd >= 0)
		close(state.notice_fd);
	state.notice_fd = -1;
	state.cb = NULL;
	state.sock = NULL;
	state.session = state.cycle = 0;
	state.nr_notices = 0;
}

static int kmod_open(int epoll_fd)
{
	struct answer answer = {0};
	int err;

	state.sock = nl_socket_alloc();
	if (!state.sock)
		return -ENOMEM;
	err = set_up_callbacks();
	if (!err)
		err = set_up_socket(epoll_fd);
	if (!err)
		err = simple_request(KFREEZE_CMD_OPEN, NLM_F_ACK, &answer);
	if (err)
		kmod_close();
	return err;
}

static int put_target(struct nl_msg *msg, const struct freezer_target *target)
{
	struct nlattr *nest = nla_nest_start(msg, KFREEZE_A_TARGET);

	if (!nest || nla_put_s32(msg, KFREEZE_A_TARGET_FD, target->fd) ||
	    nla_put_u8(msg, KFREEZE_A_TARGET_LEVEL, target->level) ||
	    (target->disk &&
	     nla_put_u32(msg, KFREEZE_A_TARGET_DISK, target->disk)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_freeze(struct nl_msg *msg, const struct freezer_request *request)
{
	struct nlattr *nest = nla_nest_start(msg, KFREEZE_A_TARGETS);
	size_t i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < request->nr_targets; i++) {
		if (put_target(msg, &request->targets[i]))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	if (nla_put_u32(msg, KFREEZE_A_TIMEOUT_MS, request->timeout_ms) ||
	    nla_put_u32(msg, KFREEZE_A_FLUSH_TIMEOUT_MS,
			request->flush_timeout_ms))
		return -EMSGSIZE;
	return 0;
}

/* The target that an extended ack's offset lies in, or -1. */
static long find_blamed(struct nl_msg *msg, uint32_t offset)
{
	char *at = (char *)nlmsg_hdr(msg) + offset;
	struct nlattr *targets, *target;
	long index = 0;
	int left;

	targets = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, KFREEZE_A_TARGETS);
	if (!targets || !offset)
		return -1;
	nla_for_each_nested(target, targets, left) {
		if (at >= (char *)target &&
		    at < (char *)target + nla_total_size(nla_len(target)))
			return index;
		index++;
	}
	return -1;
}

static int kmod_freeze(struct freezer_request *request)
{
	struct answer answer = {0};
	struct nl_msg *msg;
	int err;

	state.nr_notices = 0;
	msg = new_request(KFREEZE_CMD_FREEZE, NLM_F_ACK,
			  64 + request->nr_targets * ROOM_PER_TARGET);
	if (!msg)
		return -ENOMEM;
	err = put_freeze(msg, request);
	if (!err)
		err = transact(msg, &answer);
	if (err) {
		request->blamed = find_blamed(msg, answer.offset);
		memcpy(request->text, answer.text, sizeof(request->text));
	}
	nlmsg_free(msg);
	/* the family, or the session in it, is not the one we opened */
	return err == -ENOENT || err == -EPERM ? -ENOTCONN : err;
}

/* A result was lost, or told in another way: the state of our session is the
 * next notice if it is one of the two that are told. */
static int ask_status(void)
{
	struct answer answer = {0};

	return simple_request(KFREEZE_CMD_STATUS, NLM_F_DUMP, &answer);
}

static int kmod_thaw(void)
{
	struct answer answer = {0};
	int err = simple_request(KFREEZE_CMD_THAW, NLM_F_ACK, &answer);

	if (err == -EALREADY)
		return 0;
	if (err != -ESTALE)
		return err;
	return state.nr_notices ? 0 : ask_status();
}

static int kmod_dispatch(struct freezer_notice *notice)
{
	eventfd_t count;
	int err = 0;

	eventfd_read(state.notice_fd, &count); /* all are taken, one by one */
	if (!state.nr_notices)
		err = to_errno(nl_recvmsgs(state.sock, state.cb));
	if (err == -ENOBUFS)
		err = ask_status();
	if (err && err != -EAGAIN)
		return err;
	if (!state.nr_notices)
		return -EAGAIN;
	*notice = state.notices[0];
	state.nr_notices--;
	memmove(state.notices, state.notices + 1,
		state.nr_notices * sizeof(*state.notices));
	return 0;
}

static int kmod_records(struct freezer_target *targets, size_t nr)
{
	struct answer answer = {.targets = targets, .nr_targets = nr};

	return simple_request(KFREEZE_CMD_STATUS, NLM_F_DUMP, &answer);
}

/* A session for just this, and nothing more if @cmd is UNSPEC. */
static int request_once(enum kfreeze_cmd cmd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), err;
	struct answer answer = {0};

	if (epoll_fd < 0)
		return -errno;
	err = kmod_open(epoll_fd);
	if (!err) {
		if (cmd != KFREEZE_CMD_UNSPEC)
			err = simple_request(cmd, NLM_F_ACK, &answer);
		kmod_close();
	}
	close(epoll_fd);
	return err;
}

int freezer_kmod_probe(void)
{
	return request_once(KFREEZE_CMD_UNSPEC);
}

int freezer_kmod_rescue(void)
{
	return request_once(KFREEZE_CMD_RESCUE);
}

const struct freezer_ops freezer_kmod = {
	.name = "kmod",
	.weaker = "",
	.open = kmod_open,
	.freeze = kmod_freeze,
	.thaw = kmod_thaw,
	.dispatch = kmod_dispatch,
	.records = kmod_records,
	.close = kmod_close,
};
