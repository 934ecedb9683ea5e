/* SPDX-License-Identifier: GPL-2.0 */
/* What is still frozen when a cycle is over: the kernel has not returned from
 * its freeze or its thaw, and cannot be made to. */
#ifndef KFREEZE_STUCK_H
#define KFREEZE_STUCK_H

struct freezer_target;
struct mounts;

/* @records: of all targets of @mounts. Tell the log, and the thaw hooks. */
void stuck_tell(const struct mounts *mounts,
		const struct freezer_target *records);

#endif
