/* SPDX-License-Identifier: GPL-2.0 */
/* Path lookup that cannot be led to where it hangs. */
#ifndef KFREEZE_MOUNTS_WALK_H
#define KFREEZE_MOUNTS_WALK_H

struct mounts_namespace;

/* Open an absolute path (O_PATH): no symbolic link is followed, no automount
 * triggered, no mount entered that is not in the table or can hang, whoever
 * mounts and renames meanwhile. *@mount_id is where it leads. A descriptor,
 * -EREMOTE for a mount that can hang, or another -errno. */
int mounts_walk(const struct mounts_namespace *namespace, const char *path,
		int *mount_id);

#endif
