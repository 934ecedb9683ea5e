/* SPDX-License-Identifier: GPL-2.0 */
/* Filesystems as a host sees them: those on block devices, each once. */
#ifndef KFREEZE_MOUNTS_LOCAL_H
#define KFREEZE_MOUNTS_LOCAL_H

#include <stdbool.h>
#include <sys/types.h>

struct mounts_local {
	const char *path; /* the first mount of the mount table */
	const char *fstype;
	dev_t dev; /* of btrfs: of the device that was mounted */
	bool is_reachable; /* @path leads to it, and nothing on the way, nor
			    * itself, can hang */
};

/* Calls @visit for each, in the reverse order of the mount table, until it
 * returns other than 0, which is returned then. Touches no filesystem but
 * devtmpfs. 0 or -errno. */
int mounts_local_each(const char *mountinfo,
		      int (*visit)(void *data, const struct mounts_local *mount),
		      void *data);

#endif
