/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mount table as a list of what to freeze: one target per superblock on
 * block devices, with its level in the stack, or a reason to leave it out.
 */
#ifndef KFREEZE_MOUNTS_H
#define KFREEZE_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct libmnt_fs;
struct mounts_name;
struct mounts_namespace;

#define MOUNTS_TEXT_MAX 512

struct mounts_target {
	dev_t dev; /* of the superblock, as in mountinfo */
	const char *path; /* the mount point it is opened through; one of
			   * another namespace begins with /proc/PID/root */
	const char *source, *fstype;
	unsigned int level; /* how many other targets lie beneath it */
	unsigned int disk; /* of all that share a disk the same; 0: unknown */
	int fd; /* O_PATH, -1 before mounts_open() */
	size_t namespace; /* where it is mounted: an index */
	struct libmnt_fs *fs; /* the mount at path */
};

struct mounts_skip {
	const char *path, *fstype;
	const char *reason;
};

/* Strings live as long as it does. */
struct mounts {
	struct mounts_target *targets;
	struct mounts_skip *skips;
	size_t nr_targets, nr_skips;
	struct mounts_namespace *namespaces; /* the first is our own */
	size_t nr_namespaces;
	struct mounts_name *names; /* made up for paths of the others */
};

struct mounts_query {
	const char *mountinfo, *sysfs, *dev; /* where to look; tests differ */
	const char *proc; /* for other mount namespaces; NULL: only our own */
	char *const *exclude; /* globs on mount point, source or type; or NULL */
	bool listed; /* only what paths lie on */
	bool strict; /* a path that cannot be frozen is an error */
	char *const *paths;
	size_t nr_paths;
};

/* The running system, all of it. */
extern const struct mounts_query mounts_query_system;

/* Select targets, with their levels and disks, in all mount namespaces; a list
 * is about our own. Touches no filesystem but proc, sysfs and devtmpfs, and
 * local ones that a listed path lies on. On error @text says why.
 * 0 or -errno; mounts_free() is due in both cases. */
int mounts_read(struct mounts *mounts, const struct mounts_query *query,
		char text[MOUNTS_TEXT_MAX]);

/* Open all targets. One that is hidden or has vanished becomes a skip; one
 * that fails to open otherwise is an error, in another namespace a skip. Never
 * follows a path through a network or fuse filesystem: these can hang. */
int mounts_open(struct mounts *mounts, char text[MOUNTS_TEXT_MAX]);

/* Close what was opened: the freezer needs it no longer. */
void mounts_close(struct mounts *mounts);

void mounts_free(struct mounts *mounts);

/* For mounts_open(). There is room for one more skip per target; a path is NULL
 * without memory. */
const char *mounts_name_path(struct mounts *mounts, size_t namespace,
			     struct libmnt_fs *fs);
void mounts_add_skip(struct mounts *mounts, const char *path,
		     const char *fstype, const char *reason);

#endif
