// SPDX-License-Identifier: GPL-2.0
/*
 * libmount's view of the mount table -> one target per superblock. The device
 * number of mountinfo is the superblock's own, also for btrfs subvolumes.
 */
#include "mounts.h"

#include <errno.h>
#include <fnmatch.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mounts_namespace.h"
#include "mounts_table.h"
#include "mounts_walk.h"
#include "stacking.h"

/* What libmount's mountinfo says of one superblock. */
struct super {
	dev_t dev;
	struct libmnt_fs *fs; /* the mount that names it */
	const char *path; /* of that mount */
	size_t namespace;
	const char *skip; /* why it is no target, or NULL */
	char *upperdir; /* of an overlay, or NULL */
	bool silent; /* of no interest to anybody's report */
	bool listed;
};

struct selection {
	struct mounts *mounts;
	const struct mounts_query *query;
	struct super *supers;
	size_t nr_supers, nr_allocated;
	unsigned int nr_hidden; /* processes whose namespace is unknown */
};

/* A path that is no string of a mount table. */
struct mounts_name {
	struct mounts_name *next;
	char text[];
};

const struct mounts_query mounts_query_system = {
	.mountinfo = "/proc/self/mountinfo",
	.sysfs = "/sys",
	.dev = "/dev",
	.proc = "/proc",
};

static const char no_block_device[] = "no block device";

static bool type_is(const char *type, const char *name)
{
	return !strcmp(type, name);
}

/* Never written to: a snapshot cannot miss anything. Snaps are of this kind. */
static bool is_read_only_by_design(const char *type)
{
	static const char *const types[] = {"squashfs", "erofs", "iso9660",
					    "cramfs", "romfs"};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (type_is(type, types[i]))
			return true;
	}
	return false;
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
	if (mounts_table_is_remote(fs))
		return "network filesystem";
	if (mounts_table_is_fuse(fs))
		return "fuse filesystem";
	if (type_is(type, "autofs"))
		return "automount point";
	if (type_is(type, "overlay"))
		return "overlay: frozen with its upper directory's filesystem";
	if (is_read_only_by_design(type))
		return "read-only by design";
	if (is_on_block_device(fs))
		return NULL;
	*silent = mnt_fs_is_pseudofs(fs) && !type_is(type, "tmpfs") &&
		  !type_is(type, "ramfs");
	return no_block_device;
}

static bool is_excluded(const struct super *super, char *const *exclude)
{
	const char *source = mnt_fs_get_source(super->fs);

	for (; exclude && *exclude; exclude++) {
		if (!fnmatch(*exclude, super->path, 0) ||
		    !fnmatch(*exclude, mnt_fs_get_fstype(super->fs), 0) ||
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
	struct libmnt_fs *fs = mounts_table_find_path(
		selection->mounts->namespaces->table, path);
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
	    mnt_optstr_get_option(options, "upperdir", &value, &len) || !value)
		return NULL;
	return strndup(value, len);
}

/* The mount point, as a path of our own namespace. */
const char *mounts_name_path(struct mounts *mounts, size_t namespace,
			     struct libmnt_fs *fs)
{
	const char *root = mounts->namespaces[namespace].root;
	const char *target = mnt_fs_get_target(fs);
	struct mounts_name *name;
	size_t size;

	if (!*root)
		return target;
	size = strlen(root) + strlen(target) + 1;
	name = malloc(sizeof(*name) + size);
	if (!name)
		return NULL;
	snprintf(name->text, size, "%s%s", root, target);
	name->next = mounts->names;
	mounts->names = name;
	return name->text;
}

static int add_super(struct selection *selection, struct libmnt_fs *fs,
		     size_t namespace)
{
	struct super *super, *grown;
	size_t nr = selection->nr_allocated;

	if (selection->nr_supers == nr) {
		nr = nr ? nr * 2 : 64;
		grown = realloc(selection->supers, nr * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		selection->supers = grown;
		selection->nr_allocated = nr;
	}
	super = &selection->supers[selection->nr_supers];
	*super = (struct super){
		.dev = mnt_fs_get_devno(fs),
		.fs = fs,
		.path = mounts_name_path(selection->mounts, namespace, fs),
		.namespace = namespace,
		.upperdir = get_upperdir(fs),
	};
	super->skip = why_not(fs, &super->silent);
	selection->nr_supers++;
	return super->path ? 0 : -ENOMEM;
}

/* What every container has of its own and nobody wants to read of. */
static bool is_noise(struct libmnt_fs *fs)
{
	bool silent;

	return why_not(fs, &silent) == no_block_device;
}

/* Every superblock once, with the first namespace that has it. The mount that
 * names it is the first one there that shows all of it, else the first: bind
 * mounts come and go. */
static int collect_supers(struct selection *selection, size_t namespace)
{
	struct mounts *mounts = selection->mounts;
	struct libmnt_table *table = mounts->namespaces[namespace].table;
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	struct super *super;
	int err = iter ? 0 : -ENOMEM;

	while (!err && (fs = mounts_table_next(table, iter))) {
		super = find_super(selection, mnt_fs_get_devno(fs));
		if (!super && !(namespace && is_noise(fs))) {
			err = add_super(selection, fs, namespace);
		} else if (super && super->namespace == namespace &&
			   mounts_table_shows_root(fs) &&
			   !mounts_table_shows_root(super->fs)) {
			super->fs = fs;
			super->path = mounts_name_path(mounts, namespace, fs);
			err = super->path ? 0 : -ENOMEM;
		}
	}
	mnt_free_iter(iter);
	return err;
}

static int add_namespace(struct mounts *mounts,
			 const struct mounts_namespace *namespace)
{
	struct mounts_namespace *grown;

	grown = realloc(mounts->namespaces,
			(mounts->nr_namespaces + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	mounts->namespaces = grown;
	mounts->namespaces[mounts->nr_namespaces++] = *namespace;
	return 0;
}

/* Keep a namespace only for what no other one before it has. */
static int found_namespace(void *data, struct mounts_namespace *namespace)
{
	struct selection *selection = data;
	struct mounts *mounts = selection->mounts;
	size_t nr = selection->nr_supers;
	int err;

	err = add_namespace(mounts, namespace);
	if (err) {
		mounts_namespace_free(namespace);
		return err;
	}
	err = collect_supers(selection, mounts->nr_namespaces - 1);
	if (!err && selection->nr_supers == nr)
		mounts_namespace_free(
			&mounts->namespaces[--mounts->nr_namespaces]);
	return err;
}

static int collect_namespaces(struct selection *selection)
{
	const struct mounts_query *query = selection->query;
	int err;

	err = collect_supers(selection, 0);
	if (err || !query->proc || query->listed)
		return err;
	return mounts_namespace_scan(query->proc, found_namespace, selection,
				     &selection->nr_hidden);
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

/* The superblock of a path which is no mount point; it has to exist. */
static struct super *find_existing(const struct selection *selection,
				   const char *path)
{
	const struct mounts_namespace *own = selection->mounts->namespaces;
	struct libmnt_fs *fs = mounts_table_find_path(own->table, path);
	int fd, id;

	if (!fs || !is_on_block_device(fs))
		return NULL;
	fd = mounts_walk(own, path, &id);
	if (fd < 0)
		return NULL;
	close(fd);
	fs = mounts_table_find_id(own->table, id);
	return fs ? find_super(selection, mnt_fs_get_devno(fs)) : NULL;
}

static struct super *find_listed(const struct selection *selection,
				 const char *path)
{
	struct libmnt_table *table = selection->mounts->namespaces->table;
	struct libmnt_fs *fs;
	char normal[PATH_MAX];

	if (*path != '/')
		return NULL;
	normalise(path, normal);
	fs = mounts_table_find_path(table, normal);
	if (!fs || strcmp(mnt_fs_get_target(fs), normal))
		fs = mnt_table_find_target(table, normal, MNT_ITER_BACKWARD);
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
		if (!super->skip && is_excluded(super, query->exclude))
			super->skip = "excluded by configuration";
	}
	return query->listed ? select_listed(selection, text) : 0;
}

static int walk_stacks(struct selection *selection,
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
		supers[i].path = super->path;
		supers[i].source = mnt_fs_get_source(super->fs);
		supers[i].fstype = mnt_fs_get_fstype(super->fs);
		supers[i].upperdir = super->upperdir;
		supers[i].is_target = !super->skip;
	}
	return stacking_walk(&stacking, text, MOUNTS_TEXT_MAX);
}

void mounts_add_skip(struct mounts *mounts, const char *path,
		     const char *fstype, const char *reason)
{
	mounts->skips[mounts->nr_skips++] = (struct mounts_skip){
		.path = path,
		.fstype = fstype,
		.reason = reason,
	};
}

/* The result. Every target has room to become a skip, and there is one more
 * for what we could not see. */
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
			mounts_add_skip(mounts, stacked[i].path,
					stacked[i].fstype, super->skip);
		if (super->skip)
			continue;
		mounts->targets[mounts->nr_targets++] = (struct mounts_target){
			.dev = super->dev,
			.path = stacked[i].path,
			.source = stacked[i].source ? stacked[i].source : "?",
			.fstype = stacked[i].fstype,
			.level = stacked[i].level,
			.disk = stacked[i].disk,
			.fd = -1,
			.namespace = super->namespace,
			.fs = super->fs,
		};
	}
	if (selection->nr_hidden)
		mounts_add_skip(
			mounts, "/proc", "proc",
			"mount namespaces of some processes cannot be read");
	return 0;
}

static int select_targets(struct selection *selection, char *text)
{
	struct stacking_super *stacked;
	int err;

	err = collect_namespaces(selection);
	if (err)
		return err;
	err = select_supers(selection, text);
	if (err)
		return err;
	stacked = calloc(selection->nr_supers + 1, sizeof(*stacked));
	if (!stacked)
		return -ENOMEM;
	err = walk_stacks(selection, stacked, text);
	if (!err)
		err = fill(selection, stacked);
	free(stacked);
	return err;
}

static int read_own(struct mounts *mounts, const char *mountinfo)
{
	struct mounts_namespace own = {.root_fd = -1};
	int err;

	own.table = mnt_new_table();
	if (!own.table)
		return -ENOMEM;
	err = add_namespace(mounts, &own);
	if (err) {
		mounts_namespace_free(&own);
		return err;
	}
	err = mnt_table_parse_file(own.table, mountinfo);
	return err > 0 ? -EINVAL : err; /* libmount has codes of its own */
}

int mounts_read(struct mounts *mounts, const struct mounts_query *query,
		char text[MOUNTS_TEXT_MAX])
{
	struct selection selection = {.mounts = mounts, .query = query};
	size_t i;
	int err;

	*text = '\0';
	*mounts = (struct mounts){0};
	err = read_own(mounts, query->mountinfo);
	if (!err)
		err = select_targets(&selection, text);
	for (i = 0; i < selection.nr_supers; i++)
		free(selection.supers[i].upperdir);
	free(selection.supers);
	if (err && !*text)
		snprintf(text, MOUNTS_TEXT_MAX, "%s: cannot read: %s",
			 query->mountinfo, strerror(-err));
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
	struct mounts_name *name;

	mounts_close(mounts);
	free(mounts->targets);
	free(mounts->skips);
	while (mounts->nr_namespaces)
		mounts_namespace_free(
			&mounts->namespaces[--mounts->nr_namespaces]);
	free(mounts->namespaces);
	while ((name = mounts->names)) {
		mounts->names = name->next;
		free(name);
	}
	*mounts = (struct mounts){0};
}
