// SPDX-License-Identifier: GPL-2.0
/*
 * The choice of backend: the module whenever its family exists, else FIFREEZE.
 * A cycle ends with the backend it started with.
 */
#include "freezer.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

#include "log.h"

static struct {
	int epoll_fd;
	const struct freezer_ops *ops; /* of the current or last cycle */
	bool kmod_is_open, ioctl_is_open;
	bool only_kmod;
} state = {.epoll_fd = -1};

int freezer_fd(void)
{
	return state.epoll_fd;
}

const char *freezer_name(void)
{
	return state.ops ? state.ops->name : "none";
}

const char *freezer_weaker(void)
{
	return state.ops ? state.ops->weaker : "";
}

static void use(const struct freezer_ops *ops, const char *why)
{
	if (ops == state.ops)
		return;
	state.ops = ops;
	log_info("freezing with the %s backend: %s%s%s", ops->name, why,
		 *ops->weaker ? "; weaker than the module: " : "", ops->weaker);
}

/* Both may come and go between cycles: look anew each time. */
static int choose(void)
{
	int absent = 0, err;

	if (!state.kmod_is_open)
		absent = freezer_kmod.open(state.epoll_fd);
	if (!absent) {
		state.kmod_is_open = true;
		use(&freezer_kmod, "the kernel module is loaded");
		return 0;
	}
	if (state.only_kmod)
		return absent;
	if (!state.ioctl_is_open) {
		err = freezer_ioctl.open(state.epoll_fd);
		if (err)
			return err;
		state.ioctl_is_open = true;
	}
	use(&freezer_ioctl, absent == -ENOENT ? "the kernel module is absent"
					      : strerror(-absent));
	return 0;
}

static void close_kmod(void)
{
	freezer_kmod.close();
	state.kmod_is_open = false;
}

void freezer_release(void)
{
	if (state.kmod_is_open && !state.only_kmod)
		close_kmod();
}

int freezer_init(bool only_kmod)
{
	int err;

	state.only_kmod = only_kmod;

	state.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (state.epoll_fd < 0)
		return -errno;
	err = choose();
	if (err && only_kmod)
		log_err("backend = kmod: no session of the kernel module: %s: "
			"modprobe kfreeze, or allow any backend",
			strerror(-err));
	freezer_release();
	return err;
}

int freezer_freeze(struct freezer_request *request)
{
	int err = choose();

	request->blamed = -1;
	*request->text = '\0';
	if (!err)
		err = state.ops->freeze(request);
	if (err == -ENOTCONN) {
		/* the module was there and is gone */
		close_kmod();
		err = choose();
		if (!err)
			err = state.ops->freeze(request);
	}
	if (!state.kmod_is_open && state.only_kmod)
		strcpy(request->text, "backend = kmod: the session is lost: "
				      "restart kfreeze-monitor");
	return err;
}

int freezer_thaw(void)
{
	return state.ops->thaw();
}

void freezer_abandon(void)
{
	if (state.ops == &freezer_kmod)
		close_kmod();
	else
		freezer_ioctl.close();
}

int freezer_dispatch(struct freezer_notice *notice)
{
	int err = -EAGAIN;

	if (state.ioctl_is_open)
		err = freezer_ioctl.dispatch(notice);
	if (err == -EAGAIN && state.kmod_is_open)
		err = freezer_kmod.dispatch(notice);
	return err;
}

int freezer_records(struct freezer_target *targets, size_t nr)
{
	return state.ops->records(targets, nr);
}

const char *freezer_cause_name(enum kfreeze_cause cause)
{
	static const char *const names[] = {
		[KFREEZE_CAUSE_NONE] = "it ended for no known reason",
		[KFREEZE_CAUSE_THAW] = "it was thawed",
		[KFREEZE_CAUSE_ERROR] = "a filesystem failed",
		[KFREEZE_CAUSE_FLUSH_DEADLINE] = "writing dirty data took too long",
		[KFREEZE_CAUSE_DEADLINE] = "its deadline passed",
		[KFREEZE_CAUSE_OWNER] = "a process of the freezer died",
		[KFREEZE_CAUSE_FOREIGN_THAW] = "somebody else thawed it",
		[KFREEZE_CAUSE_RESCUE] = "an administrator thawed it",
		[KFREEZE_CAUSE_SUSPEND] = "the system was suspended",
		[KFREEZE_CAUSE_REBOOT] = "the system was shut down",
	};

	if (cause >= sizeof(names) / sizeof(*names))
		cause = KFREEZE_CAUSE_NONE;
	return names[cause];
}

const char *freezer_step_name(enum kfreeze_step step)
{
	switch (step) {
	case KFREEZE_STEP_FLUSH:
		return "flush";
	case KFREEZE_STEP_FREEZE:
		return "freeze";
	case KFREEZE_STEP_THAW:
		return "thaw";
	default:
		return "";
	}
}
