// SPDX-License-Identifier: GPL-2.0
/*
 * Backend, filesystems in the order in which they are frozen, hooks; every
 * problem with its remedy. Freezes nothing, opens no filesystem.
 */
#include "ctl_check.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "freezer.h"
#include "hook_list.h"
#include "mounts.h"

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-*"
#define SECURE_BOOT_BYTE 4 /* after the attributes */

static bool is_there(const char *pattern)
{
	glob_t found;
	bool there = !glob(pattern, 0, NULL, &found);

	if (there)
		globfree(&found);
	return there;
}

/* DKMS, and `make modules_install`. */
static bool module_is_built(void)
{
	static const char *const places[] = {"updates/dkms", "updates", "extra"};
	char pattern[512];
	struct utsname name;
	size_t i;

	uname(&name);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(pattern, sizeof(pattern),
			 "/lib/modules/%s/%s/kfreeze.ko*", name.release,
			 places[i]);
		if (is_there(pattern))
			return true;
	}
	return false;
}

static bool secure_boot_is_on(void)
{
	char value[SECURE_BOOT_BYTE + 1] = "";
	glob_t found;
	int fd;

	if (glob(SECURE_BOOT, 0, NULL, &found))
		return false;
	fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	globfree(&found);
	if (fd < 0)
		return false;
	if (read(fd, value, sizeof(value)) != sizeof(value))
		value[SECURE_BOOT_BYTE] = 0;
	close(fd);
	return value[SECURE_BOOT_BYTE] == 1;
}

static void print_module_remedy(void)
{
	if (!module_is_built())
		puts("  the module is absent; remedy: make dkms-install, then "
		     "dkms install kfreeze/VERSION");
	else if (secure_boot_is_on())
		puts("  the module is built, and Secure Boot is on; remedy: "
		     "mokutil --import the key that signs it, reboot, modprobe "
		     "kfreeze");
	else
		puts("  the module is built; remedy: modprobe kfreeze");
}

/* As the monitor chooses it. */
int ctl_check_backend(enum config_backend backend)
{
	int err = freezer_kmod_probe();
	const char *why = err == -ENOENT ? "the kernel module is not loaded"
					 : strerror(-err);

	if (!err) {
		puts("backend: kmod: the kernel module is loaded");
		return 0;
	}
	if (backend == CONFIG_BACKEND_KMOD) {
		printf("problem: backend = kmod: %s: kfreeze-monitor does not "
		       "start\n",
		       why);
	} else {
		printf("backend: ioctl: %s\n", why);
		printf("  weaker than the module: %s\n", FREEZER_IOCTL_WEAKER);
	}
	print_module_remedy();
	return backend == CONFIG_BACKEND_KMOD ? -EINVAL : 0;
}

static int compare_levels(const void *a, const void *b)
{
	const struct mounts_target *one = a, *other = b;

	return (int)other->level - (int)one->level;
}

static int check_mounts(const struct config *config)
{
	struct mounts_query query = mounts_query_system;
	char text[MOUNTS_TEXT_MAX];
	struct mounts mounts;
	size_t i;
	int err;

	query.exclude = config->exclude;
	err = mounts_read(&mounts, &query, text);
	if (!err)
		qsort(mounts.targets, mounts.nr_targets,
		      sizeof(*mounts.targets), compare_levels);
	printf("filesystems: %zu, in the order of the freeze\n",
	       mounts.nr_targets);
	for (i = 0; !err && i < mounts.nr_targets; i++)
		printf("  level %u: %s (%s, %s)\n", mounts.targets[i].level,
		       mounts.targets[i].path, mounts.targets[i].source,
		       mounts.targets[i].fstype);
	for (i = 0; !err && i < mounts.nr_skips; i++)
		printf("  not frozen: %s (%s): %s\n", mounts.skips[i].path,
		       mounts.skips[i].fstype, mounts.skips[i].reason);
	if (err)
		printf("problem: %s\n", text);
	mounts_free(&mounts);
	return err ? -EINVAL : 0;
}

static int check_hooks(const struct config *config)
{
	struct hook_list list = {0};
	const struct hook *hook;
	int err = 0;
	size_t i;

	hook_list_find(&list, hook_list_directories, config->fsfreeze_hook);
	printf("hooks: %zu\n", list.nr);
	for (i = 0; i < list.nr; i++) {
		hook = &list.hooks[i];
		if (!*hook->refusal) {
			printf("  %s\n", hook->path);
			continue;
		}
		printf("problem: %s: %s; remedy: chown root and chmod go-w it "
		       "and its directory, or correct it\n",
		       hook->path, hook->refusal);
		err = -EINVAL;
	}
	hook_list_free(&list);
	return err;
}

int ctl_check(const struct config *config)
{
	int backend_err = ctl_check_backend(config->backend);
	int mounts_err = check_mounts(config);
	int hooks_err = check_hooks(config);

	return backend_err || mounts_err || hooks_err ? -EINVAL : 0;
}
