// SPDX-License-Identifier: GPL-2.0
/*
 * Write a filesystem's dirty data without getting in the writers' way. A sync
 * of a slow disk stalls them as badly as a freeze: their journal waits behind
 * all the data that is queued. So the data goes in chunks, two at a time.
 */
#include "flush.h"

#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

/* What a writer's fsync waits for at most, beside its own, is two of these. */
#define KFREEZE_FLUSH_CHUNK SZ_128K

/* Errors stay in the mapping for whoever calls fsync(). */
static void kfreeze_flush_wait(struct address_space *mapping, loff_t from)
{
	filemap_fdatawait_range_keep_errors(mapping, from,
					    from + KFREEZE_FLUSH_CHUNK - 1);
}

/*
 * One pass over the file's dirty pages: the index only grows, though a folio of
 * many pages is found by its first one whenever any is dirty. A chunk is
 * waited for when the next one has been sent, so that the disk has work while
 * we wake up; or writers that sync take their turn each time.
 */
static void kfreeze_flush_inode(struct inode *inode,
				const struct kfreeze_flush *flush)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned long next = 0, index = 0;
	loff_t from, last = -1;

	while (flush->go_on(flush->data) &&
	       xa_find(&mapping->i_pages, &index, ULONG_MAX, PAGECACHE_TAG_DIRTY)) {
		index = max(index, next);
		from = (loff_t)index << PAGE_SHIFT;
		filemap_fdatawrite_range(mapping, from,
					 from + KFREEZE_FLUSH_CHUNK - 1);
		if (last >= 0)
			kfreeze_flush_wait(mapping, last);
		last = from;
		next = index + (KFREEZE_FLUSH_CHUNK >> PAGE_SHIFT);
		index = next;
		if (!next) /* the very last page of all */
			break;
		cond_resched();
	}
	if (last >= 0)
		kfreeze_flush_wait(mapping, last);
}

/*
 * The list's lock is dropped for every dirty file, and when the CPU is wanted;
 * the file's reference keeps the place in the list meanwhile.
 */
static void kfreeze_flush_inodes(struct super_block *sb,
				 const struct kfreeze_flush *flush)
{
	struct inode *inode, *last = NULL;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (!need_resched() &&
		    !mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY))
			continue;
		if (!igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		iput(last);
		last = inode;
		kfreeze_flush_inode(inode, flush);
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
		if (!flush->go_on(flush->data))
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
}

/**
 * kfreeze_flush_sb - write a filesystem's dirty data
 * @sb: its superblock, pinned
 * @flush: how long to go on
 *
 * Context: process; waits for I/O, and for whoever holds s_umount.
 * Return: 0 or a negative errno.
 */
int kfreeze_flush_sb(struct super_block *sb, const struct kfreeze_flush *flush)
{
	int err;

	/* somebody froze it: it is clean, and its device may be suspended */
	if (READ_ONCE(sb->s_writers.frozen) == SB_FREEZE_COMPLETE)
		return 0;
	kfreeze_flush_inodes(sb, flush);
	if (!flush->go_on(flush->data))
		return -ECANCELED;
	down_read(&sb->s_umount);
	err = sync_filesystem(sb);
	up_read(&sb->s_umount);
	return err;
}
