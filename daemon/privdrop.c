// SPDX-License-Identifier: GPL-2.0
/*
 * The agent keeps nothing: no uid 0, no group, no capability, no way to get
 * one back, and only the system calls it needs. The monitor keeps what freezes.
 */
#include "privdrop.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "privdrop_seccomp.h"

static int fail(const char *what, int err)
{
	log_err("%s: cannot drop: %s", what, strerror(-err));
	return err;
}

/* What is left after a drop which claimed to have worked. */
static int left(const char *what)
{
	log_err("%s: still there after it was dropped, refusing to run", what);
	return -EPERM;
}

/* Nobody may read our memory or keep it in a core file: a core dump would
 * also keep the monitor's socket, and with it a freeze, alive. */
static int hide_memory(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail("dumpable", -errno);
	if (setrlimit(RLIMIT_CORE, &none))
		return fail("core limit", -errno);
	return 0;
}

static int forbid_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail("new privileges", -errno);
	return 0;
}

/* Whom root becomes: looked up while that may still load a library. */
static struct {
	uid_t uid;
	gid_t gid;
} user;

static int become_user(void)
{
	if (setgroups(1, &user.gid))
		return fail("groups", -errno);
	if (setresgid(user.gid, user.gid, user.gid))
		return fail("gid", -errno);
	if (setresuid(user.uid, user.uid, user.uid))
		return fail("uid", -errno);
	return 0;
}

static int find_user(void)
{
	const struct passwd *found;

	errno = 0;
	found = getpwnam(PRIVDROP_USER);
	if (found && found->pw_uid && found->pw_gid) {
		user.uid = found->pw_uid;
		user.gid = found->pw_gid;
		return 0;
	}
	log_err("%s: no such unprivileged user: run systemd-sysusers, or useradd -r %s",
		PRIVDROP_USER, PRIVDROP_USER);
	return errno ? -errno : -ENOENT;
}

/* The bounding set can be emptied only while CAP_SETPCAP is left, so before
 * the uid changes; the other sets go when it has. */
static int drop_bounding_set(void)
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return 0;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS))
		return fail("capability bounding set", -EPERM);
	return 0;
}

static int drop_capabilities(void)
{
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT))
		return fail("capabilities", -EPERM);
	return 0;
}

static int check_sets(void)
{
	static const struct {
		capng_select_t set;
		const char *name;
	} sets[] = {
		{CAPNG_SELECT_CAPS, "capabilities"},
		{CAPNG_SELECT_BOUNDS, "capability bounding set"},
		{CAPNG_SELECT_AMBIENT, "ambient capabilities"},
	};
	unsigned int i;

	capng_setpid(0);
	if (capng_get_caps_process())
		return fail("capabilities (reading them back)", -EIO);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (capng_have_capabilities(sets[i].set) != CAPNG_NONE)
			return left(sets[i].name);
	}
	return 0;
}

static int check_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[64];
	int i, nr;

	if (getresuid(&ruid, &euid, &suid) || getresgid(&rgid, &egid, &sgid))
		return fail("uid (reading it back)", -errno);
	if (!ruid || !euid || !suid)
		return left("uid 0");
	if (!rgid || !egid || !sgid)
		return left("gid 0");
	nr = getgroups(64, groups);
	if (nr < 0)
		return fail("groups (reading them back)", -errno);
	for (i = 0; i < nr; i++) {
		if (!groups[i])
			return left("group 0");
	}
	if (!setuid(0) || !setgid(0))
		return left("the right to become root");
	return 0;
}

static int check_process(void)
{
	struct rlimit core;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return left("new privileges");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return left("dumpable");
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur || core.rlim_max)
		return left("core limit");
	return 0;
}

/* Before the filter: reading back needs calls it does not allow. */
static int check_agent(void)
{
	int err = check_ids();

	if (!err)
		err = check_sets();
	if (!err)
		err = check_process();
	return err;
}

int privdrop_agent_start(void)
{
	int err = geteuid() == 0 ? find_user() : 0;

	if (!err)
		err = forbid_new_privileges();
	return err ? err : privdrop_filter_agent_start();
}

int privdrop_agent(void)
{
	int err;

	capng_get_caps_process();
	err = drop_bounding_set();
	if (!err && geteuid() == 0)
		err = become_user();
	if (!err)
		err = drop_capabilities();
	if (!err) /* last: a change of uid resets it */
		err = hide_memory();
	if (!err)
		err = check_agent();
	if (!err)
		err = privdrop_filter_agent();
	if (!err && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
		err = left("unfiltered system calls");
	return err;
}

/* What a role keeps of what it has. */
struct kept {
	const unsigned int *capabilities;
	size_t nr;
};

/*
 * Hooks are children of the monitor and run as root with everything root has:
 * the bounding set stays whole for them, no_new_privs stays off, and exec
 * gives them back what the monitor itself does without.
 *   CAP_SYS_ADMIN        to freeze and thaw
 *   CAP_DAC_READ_SEARCH  to open the root of a mount that is another user's
 *   CAP_KILL             to end a hook that has changed its user
 *   CAP_IPC_LOCK         to allocate more memory, all of which is locked
 *   CAP_SYS_TIME         to set the clock when the host asks for it
 *   CAP_SYS_PTRACE       to see and open mounts of other mount namespaces
 */
static const unsigned int monitor_keeps[] = {
	CAP_SYS_ADMIN, CAP_DAC_READ_SEARCH, CAP_KILL,
	CAP_IPC_LOCK,  CAP_SYS_TIME,	    CAP_SYS_PTRACE,
};

/* The session is all the right to freeze that it needs. */
static const unsigned int owner_keeps[] = {
	CAP_DAC_READ_SEARCH, CAP_KILL,	     CAP_IPC_LOCK,
	CAP_SYS_TIME,	     CAP_SYS_PTRACE,
};

static const unsigned int freezer_keeps[] = {
	CAP_SYS_ADMIN,
	CAP_DAC_READ_SEARCH,
};

#define KEPT(array) ((struct kept){(array), sizeof(array) / sizeof(*(array))})

static bool is_kept(const struct kept *kept, unsigned int capability)
{
	size_t i;

	for (i = 0; i < kept->nr; i++) {
		if (kept->capabilities[i] == capability)
			return true;
	}
	return false;
}

static int check_kept(const struct kept *kept)
{
	unsigned int i;

	capng_setpid(0);
	if (capng_get_caps_process())
		return fail("capabilities (reading them back)", -EIO);
	for (i = 0; i <= CAP_LAST_CAP; i++) {
		if (is_kept(kept, i))
			continue;
		if (capng_have_capability(CAPNG_EFFECTIVE, i) ||
		    capng_have_capability(CAPNG_PERMITTED, i) ||
		    capng_have_capability(CAPNG_INHERITABLE, i))
			return left(capng_capability_to_name(i));
	}
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return left("dumpable");
	return 0;
}

/* None that we do not have: what then cannot be done says so itself. */
static int keep_only(const struct kept *kept)
{
	bool has[CAP_LAST_CAP + 1];
	unsigned int i;
	int err;

	capng_setpid(0);
	capng_get_caps_process();
	for (i = 0; i <= CAP_LAST_CAP; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED, i);
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	for (i = 0; i <= CAP_LAST_CAP; i++) {
		if (has[i] && is_kept(kept, i))
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED, i);
	}
	if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT))
		return fail("capabilities", -EPERM);
	err = hide_memory();
	return err ? err : check_kept(kept);
}

int privdrop_monitor(void)
{
	const struct kept kept = KEPT(monitor_keeps);

	return keep_only(&kept);
}

int privdrop_owner(void)
{
	const struct kept kept = KEPT(owner_keeps);

	return keep_only(&kept);
}

int privdrop_freezer_thread(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const struct kept kept = KEPT(freezer_keeps);
	uint32_t mask[_LINUX_CAPABILITY_U32S_3] = {0};
	unsigned int i;

	if (syscall(SYS_capget, &header, sets))
		return -errno;
	for (i = 0; i < kept.nr; i++)
		mask[CAP_TO_INDEX(kept.capabilities[i])] |= CAP_TO_MASK(
			kept.capabilities[i]);
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= mask[i];
		sets[i].effective &= mask[i];
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int privdrop_freezer(void)
{
	const struct kept kept = KEPT(freezer_keeps);
	int err = keep_only(&kept);

	return err ? err : forbid_new_privileges();
}
