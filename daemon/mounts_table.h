/* SPDX-License-Identifier: GPL-2.0 */
/* Questions about libmount's table that path lookup would answer. */
#ifndef KFREEZE_MOUNTS_TABLE_H
#define KFREEZE_MOUNTS_TABLE_H

#include <stdbool.h>

struct libmnt_fs;
struct libmnt_iter;
struct libmnt_table;

/* The next mount, or NULL at the end. */
struct libmnt_fs *mounts_table_next(struct libmnt_table *table,
				    struct libmnt_iter *iter);

/* Instead of mnt_unref_table(), once any of these was called. */
void mounts_table_free(struct libmnt_table *table);

struct libmnt_fs *mounts_table_find_id(struct libmnt_table *table, int id);

/* The mount an absolute path without symbolic links leads to, or NULL. */
struct libmnt_fs *mounts_table_find_path(struct libmnt_table *table,
					 const char *path);

/* A server that is gone makes every access to it hang, from open to stat. */
bool mounts_table_is_remote(struct libmnt_fs *fs);
bool mounts_table_is_fuse(struct libmnt_fs *fs);
bool mounts_table_can_hang(struct libmnt_fs *fs);

/* The way to @fs leads through a mount that can hang. */
bool mounts_table_leads_through_remote(struct libmnt_table *table,
				       struct libmnt_fs *fs);

/* Not a bind mount of a part of the filesystem. */
bool mounts_table_shows_root(struct libmnt_fs *fs);

#endif
