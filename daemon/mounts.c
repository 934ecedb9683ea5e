// SPDX-License-Identifier: GPL-2.0
/*
 * libmount's view of the mount table -> one target per superblock. The device
 * number of mountinfo is the superblock's own, also for btrfs subvolumes.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mounts_table.h"
#include "stacking.h"

/* What libmount's mountinfo says of one superblock. */
struct super {
	dev_t dev;
	struct libmnt_fs *fs; /* the mount that names it */
	const char *skip; /* why it is no target, or NULL */
	char *upperdir; /* of an overlay, or NULL */
	bool silent; /* of no interest to anybody's report */
	bool listed;
};

struct selection {
	struct mounts *mounts;
	const struct mounts_query *query;
	struct super *supers;
	size_t nr_supers;
};

const struct mounts_query mounts_query_system = {
	.mountinfo = "/proc/self/mountinfo",
	.sysfs = "/sys",
	.dev = "/dev",
};

static bool type_is(const char *type, const char *name)
{
	return !strcmp(type, name);
}

static bool is_on_block_device(struct libmnt_fs *fs)
{
	return major(mnt_fs_get_devno(fs)) ||
	       type_is(mnt_fs_get_fstype(fs), "btrfs");
}

/* Why a superblock cannot be a target, or NULL. The kernel's own filesystems
 * hold no data that a snapshot could miss: *@silent keeps them out of reports. */
static const char *why_not(struct libmnt_fs *fs, bool *silent)
{
	const char *type = mnt_fs_get_fstype(fs);

	*silent = false;
	if (mnt_fs_is_netfs(fs))
		return "network filesystem";
	if (mounts_table_can_hang(fs))
		return "fuse filesystem";
	if (type_is(type, "autofs"))
		return "automount point";
	if (type_is(type, "overlay"))
		return "overlay: frozen with its upper directory's filesystem";
	if (is_on_block_device(fs))
		return NULL;
	*silent = mnt_fs_is_pseudofs(fs) && !type_is(type, "tmpfs") &&
		  !type_is(type, "ramfs");
	return "no block device";
}

static bool is_excluded(struct libmnt_fs *fs, char *const *exclude)
{
	const char *source = mnt_fs_get_source(fs);

	for (; exclude && *exclude; exclude++) {
		if (!fnmatch(*exclude, mnt_fs_get_target(fs), 0) ||
		    !fnmatch(*exclude, mnt_fs_get_fstype(fs), 0) ||
		    (source && !fnmatch(*exclude, source, 0)))
			return true;
	}
	return false;
}

static struct super *find_super(const struct selection *selection, dev_t dev)
{
	size_t i;

	for (i = 0; i < selection->nr_supers; i++) {
		if (selection->supers[i].dev == dev)
			return &selection->supers[i];
	}
	return NULL;
}

static size_t find_path_super(const void *data, const char *path)
{
	const struct selection *selection = data;
	struct libmnt_fs *fs = mounts_table_find_path(selection->mounts->table,
						      path);
	struct super *super;

	super = fs ? find_super(selection, mnt_fs_get_devno(fs)) : NULL;
	return super ? (size_t)(super - selection->supers) : STACKING_NONE;
}

static char *get_upperdir(struct libmnt_fs *fs)
{
	const char *options = mnt_fs_get_fs_options(fs);
	char *value;
	size_t len;

	if (!type_is(mnt_fs_get_fstype(fs), "overlay") || !options ||
	    mnt_optstr_get_option(options, "upperdir", &value, &len))
		return NULL;
	return strndup(value, len);
}

/* Every superblock once. The mount that names it is the first one that shows
 * all of it, else the first: bind mounts come and go. */
static int collect_supers(struct selection *selection)
{
	struct mounts *mounts = selection->mounts;
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	struct super *super;

	selection->supers = calloc(mnt_table_get_nents(mounts->table) + 1,
				   sizeof(*super));
	if (!iter || !selection->supers) {
		mnt_free_iter(iter);
		return -ENOMEM;
	}
	while ((fs = mounts_table_next(mounts->table, iter))) {
		super = find_super(selection, mnt_fs_get_devno(fs));
		if (!super) {
			super = &selection->supers[selection->nr_supers++];
			super->dev = mnt_fs_get_devno(fs);
			super->fs = fs;
			super->upperdir = get_upperdir(fs);
		} else if (mounts_table_shows_root(fs) &&
			   !mounts_table_shows_root(super->fs)) {
			super->fs = fs;
		}
	}
	mnt_free_iter(iter);
	return 0;
}

/* "/srv//b/./c/../" -> "/srv/b": text only, the path may not exist. */
static void normalise(const char *path, char out[PATH_MAX])
{
	size_t len = 0, size;

	for (;;) {
		path += strspn(path, "/");
		size = strcspn(path, "/");
		if (!size)
			break;
		if (size == 2 && !strncmp(path, "..", 2)) {
			while (len && out[--len] != '/')
				;
		} else if (!(size == 1 && *path == '.') &&
			   len + size + 2 < PATH_MAX) {
			out[len++] = '/';
			memcpy(out + len, path, size);
			len += size;
		}
		path += size;
	}
	if (!len)
		out[len++] = '/';
	out[len] = '\0';
}

/* O_PATH, and the id of the mount that was reached. */
static int open_path(const char *path, uint64_t resolve, struct statx *stx)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = resolve,
	};
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	int err;

	if (fd < 0)
		return -errno;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_MNT_ID, stx)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* The superblock of a path which is no mount point; it has to exist. Symbolic
 * links are not followed: they may lead to where it hangs. */
static struct super *find_existing(const struct selection *selection,
				   const char *path)
{
	struct mounts *mounts = selection->mounts;
	struct libmnt_fs *fs = mounts_table_find_path(mounts->table, path);
	struct statx stx;
	int fd;

	if (!fs || mounts_table_can_hang(fs) ||
	    mounts_table_leads_through_remote(mounts->table, fs) ||
	    !is_on_block_device(fs))
		return NULL;
	fd = open_path(path, RESOLVE_NO_SYMLINKS, &stx);
	if (fd < 0)
		return NULL;
	close(fd);
	fs = mounts_table_find_id(mounts->table, stx.stx_mnt_id);
	return fs ? find_super(selection, mnt_fs_get_devno(fs)) : NULL;
}

static struct super *find_listed(const struct selection *selection,
				 const char *path)
{
	struct mounts *mounts = selection->mounts;
	struct libmnt_fs *fs;
	char normal[PATH_MAX];

	if (*path != '/')
		return NULL;
	normalise(path, normal);
	fs = mounts_table_find_path(mounts->table, normal);
	if (!fs || strcmp(mnt_fs_get_target(fs), normal))
		fs = mnt_table_find_target(mounts->table, normal,
					   MNT_ITER_BACKWARD);
	if (fs && !strcmp(mnt_fs_get_target(fs), normal))
		return find_super(selection, mnt_fs_get_devno(fs));
	return find_existing(selection, normal);
}

/* Mark what the paths lie on. In strict mode all of them must be targets. */
static int select_listed(struct selection *selection, char *text)
{
	const struct mounts_query *query = selection->query;
	struct super *super;
	size_t i;

	for (i = 0; i < query->nr_paths; i++) {
		super = find_listed(selection, query->paths[i]);
		if (super)
			super->listed = true;
		if (!query->strict || (super && !super->skip))
			continue;
		snprintf(text, MOUNTS_TEXT_MAX, "%s: cannot be frozen: %s",
			 query->paths[i],
			 super ? super->skip : "no such mount point");
		return super ? -EOPNOTSUPP : -ENOENT;
	}
	for (i = 0; i < selection->nr_supers; i++) {
		super = &selection->supers[i];
		if (super->listed)
			continue;
		super->skip = "not listed";
		super->silent = true;
	}
	return 0;
}

static int select_supers(struct selection *selection, char *text)
{
	const struct mounts_query *query = selection->query;
	struct super *super;
	size_t i;

	for (i = 0; i < selection->nr_supers; i++) {
		super = &selection->supers[i];
		super->skip = why_not(super->fs, &super->silent);
		if (!super->skip && is_excluded(super->fs, query->exclude))
			super->skip = "excluded by configuration";
	}
	return query->listed ? select_listed(selection, text) : 0;
}

static int set_levels(struct selection *selection,
		      struct stacking_super *supers, char *text)
{
	struct stacking stacking = {
		.sysfs = selection->query->sysfs,
		.dev = selection->query->dev,
		.supers = supers,
		.nr_supers = selection->nr_supers,
		.find_path = find_path_super,
		.data = selection,
	};
	const struct super *super;
	size_t i;

	for (i = 0; i < selection->nr_supers; i++) {
		super = &selection->supers[i];
		supers[i].dev = super->dev;
		supers[i].path = mnt_fs_get_target(super->fs);
		supers[i].source = mnt_fs_get_source(super->fs);
		supers[i].fstype = mnt_fs_get_fstype(super->fs);
		supers[i].upperdir = super->upperdir;
		supers[i].is_target = !super->skip;
	}
	return stacking_set_levels(&stacking, text, MOUNTS_TEXT_MAX);
}

static void add_skip(struct mounts *mounts, const char *path,
		     const char *fstype, const char *reason)
{
	mounts->skips[mounts->nr_skips++] = (struct mounts_skip){
		.path = path,
		.fstype = fstype,
		.reason = reason,
	};
}

/* The result. Every target has room to become a skip. */
static int fill(struct selection *selection, const struct stacking_super *stacked)
{
	struct mounts *mounts = selection->mounts;
	const struct super *super;
	size_t i;

	mounts->targets = calloc(selection->nr_supers + 1,
				 sizeof(*mounts->targets));
	mounts->skips = calloc(selection->nr_supers + 1, sizeof(*mounts->skips));
	if (!mounts->targets || !mounts->skips)
		return -ENOMEM;
	for (i = 0; i < selection->nr_supers; i++) {
		super = &selection->supers[i];
		if (super->skip && !super->silent)
			add_skip(mounts, stacked[i].path, stacked[i].fstype,
				 super->skip);
		if (super->skip)
			continue;
		mounts->targets[mounts->nr_targets++] = (struct mounts_target){
			.dev = super->dev,
			.path = stacked[i].path,
			.source = stacked[i].source ? stacked[i].source : "?",
			.fstype = stacked[i].fstype,
			.level = stacked[i].level,
			.fd = -1,
		};
	}
	return 0;
}

static int select_targets(struct selection *selection, char *text)
{
	struct stacking_super *stacked;
	int err;

	err = collect_supers(selection);
	if (err)
		return err;
	err = select_supers(selection, text);
	if (err)
		return err;
	stacked = calloc(selection->nr_supers + 1, sizeof(*stacked));
	if (!stacked)
		return -ENOMEM;
	err = set_levels(selection, stacked, text);
	if (!err)
		err = fill(selection, stacked);
	free(stacked);
	return err;
}

int mounts_read(struct mounts *mounts, const struct mounts_query *query,
		char text[MOUNTS_TEXT_MAX])
{
	struct selection selection = {.mounts = mounts, .query = query};
	size_t i;
	int err;

	*text = '\0';
	*mounts = (struct mounts){0};
	mounts->table = mnt_new_table();
	err = mounts->table
		      ? mnt_table_parse_file(mounts->table, query->mountinfo)
		      : -ENOMEM;
	if (!err)
		err = select_targets(&selection, text);
	for (i = 0; i < selection.nr_supers; i++)
		free(selection.supers[i].upperdir);
	free(selection.supers);
	if (err > 0) /* libmount's own codes */
		err = -EINVAL;
	if (err && !*text)
		snprintf(text, MOUNTS_TEXT_MAX, "%s: cannot read: %s",
			 query->mountinfo, strerror(-err));
	return err;
}

enum pass {
	PASS_WHOLE, /* a mount that shows the root directory */
	PASS_PART, /* any directory or regular file of it */
	PASS_SPECIAL, /* a socket or device bind-mounted from it */
	NR_PASSES,
};

/* A descriptor, or -ENOENT if the path leads to something else. */
static int open_mount(struct libmnt_fs *fs, enum pass pass)
{
	struct statx stx;
	int fd;

	fd = open_path(mnt_fs_get_target(fs), 0, &stx);
	if (fd < 0)
		return fd;
	if (stx.stx_mnt_id == (unsigned int)mnt_fs_get_id(fs) &&
	    (pass == PASS_SPECIAL || S_ISDIR(stx.stx_mode) ||
	     S_ISREG(stx.stx_mode)))
		return fd;
	close(fd);
	return -ENOENT;
}

static void use_mount(struct mounts_target *target, struct libmnt_fs *fs, int fd)
{
	target->fd = fd;
	target->path = mnt_fs_get_target(fs);
	if (mnt_fs_get_source(fs))
		target->source = mnt_fs_get_source(fs);
}

/* Open a target through any of its mounts. A reason to skip it, or NULL and
 * then *@err. */
static const char *open_target(struct mounts *mounts,
			       struct mounts_target *target,
			       struct libmnt_iter *iter, int *err)
{
	const char *reason = "hidden under another mount";
	struct libmnt_fs *fs;
	enum pass pass;
	int fd;

	*err = 0;
	for (pass = 0; pass < NR_PASSES; pass++) {
		mnt_reset_iter(iter, MNT_ITER_FORWARD);
		while ((fs = mounts_table_next(mounts->table, iter))) {
			if (mnt_fs_get_devno(fs) != target->dev ||
			    (pass == PASS_WHOLE && !mounts_table_shows_root(fs)) ||
			    mounts_table_find_path(mounts->table,
						   mnt_fs_get_target(fs)) != fs)
				continue;
			if (mounts_table_leads_through_remote(mounts->table, fs)) {
				reason = "beneath a network or fuse mount";
				continue;
			}
			fd = open_mount(fs, pass);
			if (fd >= 0) {
				use_mount(target, fs, fd);
				*err = 0;
				return NULL;
			}
			reason = "unmounted meanwhile";
			if (fd != -ENOENT && fd != -ENOTDIR)
				*err = fd;
		}
	}
	return *err ? NULL : reason;
}

int mounts_open(struct mounts *mounts, char text[MOUNTS_TEXT_MAX])
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct mounts_target *target;
	const char *reason;
	size_t i, nr = 0;
	int err = iter ? 0 : -ENOMEM;

	*text = '\0';
	for (i = 0; !err && i < mounts->nr_targets; i++) {
		target = &mounts->targets[i];
		reason = open_target(mounts, target, iter, &err);
		if (err)
			snprintf(text, MOUNTS_TEXT_MAX, "%s (%s): open: %s",
				 target->path, target->source, strerror(-err));
		else if (reason)
			add_skip(mounts, target->path, target->fstype, reason);
		else
			mounts->targets[nr++] = *target;
	}
	mnt_free_iter(iter);
	if (err && !*text)
		snprintf(text, MOUNTS_TEXT_MAX, "cannot open targets: %s",
			 strerror(-err));
	mounts->nr_targets = nr;
	return err;
}

void mounts_close(struct mounts *mounts)
{
	size_t i;

	for (i = 0; i < mounts->nr_targets; i++) {
		if (mounts->targets[i].fd >= 0)
			close(mounts->targets[i].fd);
		mounts->targets[i].fd = -1;
	}
}

void mounts_free(struct mounts *mounts)
{
	mounts_close(mounts);
	free(mounts->targets);
	free(mounts->skips);
	mnt_unref_table(mounts->table);
	*mounts = (struct mounts){0};
}
