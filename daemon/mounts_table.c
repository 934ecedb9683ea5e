// SPDX-License-Identifier: GPL-2.0
/*
 * The mount table as path lookup sees it: which mount a path leads to, and
 * what it leads through.
 */
#include "mounts_table.h"

#include <libmount/libmount.h>
#include <stdlib.h>
#include <string.h>

#define NO_PARENT -1

/* A mount, by where it is: paths are looked up for every target, and servers
 * with hundreds of mounts want their freeze to be short. */
struct place {
	int id, parent;
	const char *target;
	size_t line; /* of mountinfo */
	struct libmnt_fs *fs;
};

/* Kept with the table as its user data. */
struct index {
	struct place *places; /* by parent, target, line */
	struct place **by_id;
	size_t nr;
	struct libmnt_fs *root;
};

struct libmnt_fs *mounts_table_next(struct libmnt_table *table,
				    struct libmnt_iter *iter)
{
	struct libmnt_fs *fs;

	return mnt_table_next_fs(table, iter, &fs) ? NULL : fs;
}

/* Those that libmount does not know for what they are, too. */
bool mounts_table_is_remote(struct libmnt_fs *fs)
{
	static const char *const types[] = {"afs",  "beegfs", "ceph",	 "coda",
					    "gpfs", "lustre", "orangefs"};
	const char *type = mnt_fs_get_fstype(fs);
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(type, types[i]))
			return true;
	}
	return mnt_fs_is_netfs(fs);
}

bool mounts_table_is_fuse(struct libmnt_fs *fs)
{
	const char *type = mnt_fs_get_fstype(fs);

	return !strcmp(type, "fuse") || !strcmp(type, "fuseblk") ||
	       !strcmp(type, "virtiofs") || !strncmp(type, "fuse.", 5);
}

bool mounts_table_can_hang(struct libmnt_fs *fs)
{
	return mounts_table_is_remote(fs) || mounts_table_is_fuse(fs);
}

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *other = b;
	int order;

	if (one->parent != other->parent)
		return one->parent < other->parent ? -1 : 1;
	order = strcmp(one->target, other->target);
	if (order)
		return order;
	return one->line < other->line ? -1 : 1;
}

static int compare_ids(const void *a, const void *b)
{
	const struct place *const *one = a, *const *other = b;

	return (*one)->id < (*other)->id ? -1 : (*one)->id > (*other)->id;
}

static struct libmnt_fs *find_id(const struct index *index, int id)
{
	const struct place wanted = {.id = id}, *key = &wanted;
	struct place **found = bsearch(&key, index->by_id, index->nr,
				       sizeof(struct place *), compare_ids);

	return found ? (*found)->fs : NULL;
}

/* The mount at "/" that lies on no other one. libmount's own search does not
 * end if the table is no tree. */
static struct libmnt_fs *find_root(const struct index *index)
{
	const struct place *place, *root = NULL;

	for (place = index->places; place < index->places + index->nr; place++) {
		if (strcmp(place->target, "/") ||
		    (root && root->line < place->line))
			continue;
		if (place->parent == NO_PARENT || !find_id(index, place->parent))
			root = place;
	}
	return root ? root->fs : NULL;
}

static void fill_index(struct index *index, struct libmnt_table *table,
		       struct libmnt_iter *iter)
{
	struct libmnt_fs *fs;
	int id, parent;
	size_t i;

	while ((fs = mounts_table_next(table, iter))) {
		id = mnt_fs_get_id(fs);
		parent = mnt_fs_get_parent_id(fs);
		index->places[index->nr] = (struct place){
			.id = id,
			/* the first of all mounts is on itself */
			.parent = parent == id ? NO_PARENT : parent,
			.target = mnt_fs_get_target(fs),
			.line = index->nr,
			.fs = fs,
		};
		index->nr++;
	}
	qsort(index->places, index->nr, sizeof(*index->places), compare_places);
	for (i = 0; i < index->nr; i++)
		index->by_id[i] = &index->places[i];
	qsort(index->by_id, index->nr, sizeof(struct place *), compare_ids);
	index->root = find_root(index);
}

static void free_index(struct index *index)
{
	if (!index)
		return;
	free(index->places);
	free(index->by_id);
	free(index);
}

/* Made when it is first asked for, as the table is complete then; NULL if there
 * is no memory for it. */
static const struct index *get_index(struct libmnt_table *table)
{
	struct index *index = mnt_table_get_userdata(table);
	struct libmnt_iter *iter;
	size_t nr = mnt_table_get_nents(table);

	if (index)
		return index;
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	index = calloc(1, sizeof(*index));
	if (index) {
		index->places = calloc(nr + 1, sizeof(*index->places));
		index->by_id = calloc(nr + 1, sizeof(*index->by_id));
	}
	if (!iter || !index || !index->places || !index->by_id) {
		free_index(index);
		index = NULL;
	} else {
		fill_index(index, table, iter);
		mnt_table_set_userdata(table, index);
	}
	mnt_free_iter(iter);
	return index;
}

/* Is a place before the one that is looked for, after it, or the one? */
static int compare_place(const struct place *place, int parent,
			 const char *path, size_t len)
{
	int order;

	if (place->parent != parent)
		return place->parent < parent ? -1 : 1;
	order = strncmp(place->target, path, len);
	return order ? order : place->target[len] != '\0';
}

/* The mount on top of @parent at the first @len characters of @path. */
static const struct place *find_place(const struct index *index, int parent,
				      const char *path, size_t len)
{
	size_t from = 0, to = index->nr, middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (compare_place(&index->places[middle], parent, path, len) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == index->nr ||
	    compare_place(&index->places[from], parent, path, len))
		return NULL;
	return &index->places[from];
}

/* Down the path, over whatever is mounted at each of its names. */
struct libmnt_fs *mounts_table_find_path(struct libmnt_table *table,
					 const char *path)
{
	const struct index *index = get_index(table);
	size_t left = index ? index->nr : 0; /* no mount twice */
	struct libmnt_fs *fs = index ? index->root : NULL;
	const struct place *place;
	size_t len = 1; /* "/" */

	while (fs) {
		while (left && (place = find_place(index, mnt_fs_get_id(fs),
						   path, len))) {
			fs = place->fs;
			left--;
		}
		if (!left || !*path || !path[len])
			break;
		len += path[len] == '/';
		len += strcspn(path + len, "/");
	}
	return fs;
}

struct libmnt_fs *mounts_table_find_id(struct libmnt_table *table, int id)
{
	const struct index *index = get_index(table);

	return index ? find_id(index, id) : NULL;
}

bool mounts_table_leads_through_remote(struct libmnt_table *table,
				       struct libmnt_fs *fs)
{
	int id = mnt_fs_get_parent_id(fs), last = mnt_fs_get_id(fs);
	int left = mnt_table_get_nents(table); /* no mount twice */

	while (id != last && left--) {
		last = id;
		fs = mounts_table_find_id(table, id);
		if (!fs)
			break;
		if (mounts_table_can_hang(fs))
			return true;
		id = mnt_fs_get_parent_id(fs);
	}
	return false;
}

bool mounts_table_shows_root(struct libmnt_fs *fs)
{
	const char *root = mnt_fs_get_root(fs);

	return !root || !strcmp(root, "/");
}

void mounts_table_free(struct libmnt_table *table)
{
	if (table)
		free_index(mnt_table_get_userdata(table));
	mnt_unref_table(table);
}
