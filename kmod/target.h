/* SPDX-License-Identifier: GPL-2.0 */
/* One filesystem to freeze: its superblock, pinned and claimed. */
#ifndef KFREEZE_TARGET_H
#define KFREEZE_TARGET_H

#include <linux/ktime.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <linux/kfreeze.h>

#include "foreign.h"
#include "job.h"

struct kfreeze_set;
struct super_block;

/**
 * struct kfreeze_record - what is reported of one filesystem
 * @dev: its device as in mountinfo
 * @fstype: name of its type; the type may be gone when it is asked for
 * @index: position in the request
 * @level: higher levels freeze first and thaw last
 * @state: what became of it so far
 * @late: it neither froze nor thawed in time and is no longer waited for
 * @step: where @err happened
 * @err: 0 or a negative errno
 * @flush_ns: duration of the flush
 * @freeze_ns: duration of the freeze
 * @hold_ns: from the start of the freeze to the end of the thaw
 * @thaw_ns: duration of the thaw
 */
struct kfreeze_record {
	dev_t dev;
	char fstype[32];
	u32 index;
	u8 level;
	enum kfreeze_target_state state;
	bool late;
	enum kfreeze_step step;
	int err;
	u64 flush_ns;
	u64 freeze_ns;
	u64 hold_ns;
	u64 thaw_ns;
};

/**
 * struct kfreeze_target - one filesystem of a set
 * @set: the set it belongs to
 * @sb: its superblock
 * @disk: what tells its disk from others; not to be followed
 * @disk_nr: the requester's number of its disk, which counts more; 0: none
 * @claim: in the table of superblocks in use
 * @claimed: it is in that table
 * @flush: work on the freeze queue
 * @freeze: work on the freeze queue
 * @thaw: thaws it, and again when it refused
 * @lost: tells that somebody else thawed it
 * @release: work on the release queue
 * @foreign: watch for foreign thaws
 * @pinned: @sb cannot go away; under the set's lock, as all that follows
 * @since: when its first writer could block
 * @record: what is reported of it
 */
struct kfreeze_target {
	struct kfreeze_set *set;
	struct super_block *sb;
	const void *disk;
	u32 disk_nr;
	struct hlist_node claim;
	bool claimed;
	struct work_struct flush;
	struct work_struct freeze;
	struct kfreeze_job thaw;
	struct kfreeze_job lost;
	struct work_struct release;
	struct kfreeze_foreign foreign;
	bool pinned;
	ktime_t since;
	struct kfreeze_record record;
};

int kfreeze_target_pin(struct kfreeze_target *target, int fd);
bool kfreeze_target_unpin_shared(struct kfreeze_target *target);
void kfreeze_target_unpin(struct kfreeze_target *target);
int kfreeze_target_claim(struct kfreeze_target *target);
void kfreeze_target_unclaim(struct kfreeze_target *target);
bool kfreeze_target_shares_disk(const struct kfreeze_target *a,
				const struct kfreeze_target *b);
int kfreeze_target_freeze(struct kfreeze_target *target);
int kfreeze_target_thaw(struct kfreeze_target *target);
bool kfreeze_target_is_frozen(const struct kfreeze_target *target);
enum kfreeze_holder kfreeze_target_holder(void);

#endif
