/* SPDX-License-Identifier: GPL-2.0 */
/* Write a filesystem's dirty data without getting in the writers' way. */
#ifndef KFREEZE_FLUSH_H
#define KFREEZE_FLUSH_H

#include <linux/types.h>

struct super_block;

/**
 * struct kfreeze_flush - how long a flush may go on
 * @go_on: asked between two chunks. Return: false to stop there
 * @data: for its use
 */
struct kfreeze_flush {
	bool (*go_on)(void *data);
	void *data;
};

int kfreeze_flush_sb(struct super_block *sb, const struct kfreeze_flush *flush);

#endif
