// SPDX-License-Identifier: GPL-2.0
/* One filesystem: descriptor to superblock, and what is done to it. */
#include "target.h"

#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/magic.h>
#include <linux/percpu-rwsem.h>
#include <linux/spinlock.h>
#include <linux/string.h>

/* How we hold: as exclusively as the kernel can. */
#define KFREEZE_HOLDER (FREEZE_HOLDER_KERNEL | FREEZE_EXCL)

/* Superblocks that any set uses, so that no two meet in one. */
static DEFINE_HASHTABLE(kfreeze_claims, 8);
static DEFINE_SPINLOCK(kfreeze_claims_lock); /* protects kfreeze_claims */

/*
 * What has a block device can be frozen, with or without ->freeze_fs. fuseblk
 * has one too, but flushing it waits for a process that may be blocked by us.
 */
static bool kfreeze_target_is_supported(const struct super_block *sb)
{
	if (sb->s_magic == FUSE_SUPER_MAGIC)
		return false;
	return READ_ONCE(sb->s_bdev) || (sb->s_type->fs_flags & FS_REQUIRES_DEV);
}

/**
 * kfreeze_target_pin - find the superblock behind a descriptor and keep it
 * @target: filled in: @sb, @pinned, device and type of the record
 * @fd: descriptor of the calling process, O_PATH will do
 *
 * The superblock stays when the descriptor is closed and also when the last
 * mount of it goes. Context: process, of the requester; does not wait.
 * Return: 0, -EBADF, or -EOPNOTSUPP if it is not on a block device.
 */
int kfreeze_target_pin(struct kfreeze_target *target, int fd)
{
	struct block_device *bdev;
	struct super_block *sb;
	struct file *file;
	int err = 0;

	file = fget_raw(fd);
	if (!file)
		return -EBADF;
	sb = file_inode(file)->i_sb;
	if (!kfreeze_target_is_supported(sb)) {
		err = -EOPNOTSUPP;
		goto out_put;
	}
	/* the file's mount keeps s_active above zero until the fput */
	atomic_inc(&sb->s_active);
	target->sb = sb;
	bdev = READ_ONCE(sb->s_bdev); /* btrfs may remove it just now */
	target->disk = bdev ? bdev->bd_disk : NULL;
	target->record.dev = sb->s_dev;
	strscpy(target->record.fstype, sb->s_type->name,
		sizeof(target->record.fstype));
	target->pinned = true;
out_put:
	fput(file);
	return err;
}

/**
 * kfreeze_target_unpin_shared - let the superblock go if others keep it
 * @target: a target that was pinned
 *
 * Context: any. Does not wait.
 * Return: false if the reference is the last one, and still there.
 */
bool kfreeze_target_unpin_shared(struct kfreeze_target *target)
{
	return atomic_add_unless(&target->sb->s_active, -1, 1);
}

/**
 * kfreeze_target_unpin - let the superblock go
 * @target: a target that was pinned
 *
 * Context: process. May unmount the filesystem, with all the I/O of that.
 */
void kfreeze_target_unpin(struct kfreeze_target *target)
{
	deactivate_super(target->sb);
}

/**
 * kfreeze_target_claim - take the superblock for this target's set alone
 * @target: a target that was pinned
 *
 * Context: any but hard interrupts.
 * Return: 0, -EEXIST if another target of the set has it, -EBUSY if another
 * set has it.
 */
int kfreeze_target_claim(struct kfreeze_target *target)
{
	struct kfreeze_target *other;
	int err = 0;

	spin_lock(&kfreeze_claims_lock);
	hash_for_each_possible(kfreeze_claims, other, claim,
			       (unsigned long)target->sb)
	{
		if (other->sb == target->sb) {
			err = other->set == target->set ? -EEXIST : -EBUSY;
			goto out_unlock;
		}
	}
	hash_add(kfreeze_claims, &target->claim, (unsigned long)target->sb);
	target->claimed = true;
out_unlock:
	spin_unlock(&kfreeze_claims_lock);
	return err;
}

/**
 * kfreeze_target_unclaim - allow others to use the superblock
 * @target: a target, claimed or not
 *
 * Context: any but hard interrupts.
 */
void kfreeze_target_unclaim(struct kfreeze_target *target)
{
	spin_lock(&kfreeze_claims_lock);
	if (target->claimed) {
		hash_del(&target->claim);
		target->claimed = false;
	}
	spin_unlock(&kfreeze_claims_lock);
}

/**
 * kfreeze_target_shares_disk - do two targets lie on one disk?
 * @a: a target that was pinned; its superblock may have been let go since
 * @b: another one
 *
 * Context: any.
 * Return: true if they do: by the requester's word, or as partitions of it.
 */
bool kfreeze_target_shares_disk(const struct kfreeze_target *a,
				const struct kfreeze_target *b)
{
	if (a->disk_nr || b->disk_nr)
		return a->disk_nr == b->disk_nr;
	return a->disk && a->disk == b->disk;
}

/**
 * kfreeze_target_freeze - freeze it
 * @target: a pinned target
 *
 * Context: process; waits for writers and for I/O, and cannot be interrupted.
 * Return: 0 or a negative errno; -EBUSY if somebody else froze it.
 */
int kfreeze_target_freeze(struct kfreeze_target *target)
{
	struct super_block *sb = target->sb;

	if (sb->s_op->freeze_super)
		return sb->s_op->freeze_super(sb, KFREEZE_HOLDER, target);
	return freeze_super(sb, KFREEZE_HOLDER, target);
}

static int kfreeze_target_thaw_super(struct kfreeze_target *target)
{
	struct super_block *sb = target->sb;
	int err;

	if (sb->s_op->thaw_super) {
		err = sb->s_op->thaw_super(sb, KFREEZE_HOLDER, target);
		if (!err || err == -EBUSY || !FREEZE_HOLDER_KERNEL)
			return err;
		/* gfs2 does not any more when others have tried, in vain */
	}
	return thaw_super(sb, KFREEZE_HOLDER, target);
}

/*
 * An error may have made it read-only while it was frozen. thaw_super() takes
 * it for one that was read-only before, which locks no writers out, and leaves
 * them locked out for good. They are let go on, to hear that it is read-only.
 */
static void kfreeze_target_let_writers(struct super_block *sb)
{
	struct percpu_rw_semaphore *locks = sb->s_writers.rw_sem;
	int level;

	down_write(&sb->s_umount);
	if (sb->s_writers.frozen == SB_UNFROZEN && percpu_is_write_locked(locks)) {
		for (level = 0; level < SB_FREEZE_LEVELS; level++)
			percpu_rwsem_acquire(&locks[level], 0, _THIS_IP_);
		for (level = SB_FREEZE_LEVELS - 1; level >= 0; level--)
			percpu_up_write(&locks[level]);
	}
	up_write(&sb->s_umount);
}

/**
 * kfreeze_target_thaw - undo kfreeze_target_freeze()
 * @target: a target that it froze
 *
 * Context: process; may wait for I/O.
 * Return: 0 or a negative errno: the filesystem refused if it is frozen still,
 * and else was not frozen by us any more.
 */
int kfreeze_target_thaw(struct kfreeze_target *target)
{
	struct super_block *sb = target->sb;
	int err = kfreeze_target_thaw_super(target);

	if (!err && sb_rdonly(sb))
		kfreeze_target_let_writers(sb);
	return err;
}

/**
 * kfreeze_target_is_frozen - is it frozen, by whomever?
 * @target: a pinned target
 *
 * Context: any.
 * Return: true if it is.
 */
bool kfreeze_target_is_frozen(const struct kfreeze_target *target)
{
	return READ_ONCE(target->sb->s_writers.frozen) == SB_FREEZE_COMPLETE;
}

/**
 * kfreeze_target_holder - how this kernel tells our freeze from others
 *
 * Context: any.
 * Return: what the newest interface it has can do.
 */
enum kfreeze_holder kfreeze_target_holder(void)
{
	if (FREEZE_EXCL)
		return KFREEZE_HOLDER_EXCL;
	if (FREEZE_HOLDER_KERNEL)
		return KFREEZE_HOLDER_KERNEL;
	return KFREEZE_HOLDER_NONE;
}
