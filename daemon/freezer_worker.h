/* SPDX-License-Identifier: GPL-2.0 */
/* One thread per filesystem, which does whatever may block in the kernel. */
#ifndef KFREEZE_FREEZER_WORKER_H
#define KFREEZE_FREEZER_WORKER_H

#include <stddef.h>
#include <stdint.h>

struct child_target;

enum worker_order {
	WORKER_NONE,
	WORKER_CLOSE, /* what only the leader may have open */
	WORKER_FLUSH,
	WORKER_FREEZE,
	WORKER_THAW, /* if it is frozen */
	WORKER_RESCUE, /* the freezer has died: until it cannot be frozen */
};

/* Start the threads. They have a table of descriptors of their own, without
 * @unwanted. An eventfd that becomes readable when an order has been carried
 * out, or -errno. */
int worker_start(struct child_target *targets, size_t nr, const int *unwanted,
		 size_t nr_unwanted);

/* For WORKER_RESCUE: readable when no thread of the freezer is left. */
void worker_set_freezer(int pidfd);

/* Orders of one worker are carried out in turn; only higher ones follow. */
void worker_order(size_t index, enum worker_order order);

uint64_t worker_now_ns(void);

#endif
