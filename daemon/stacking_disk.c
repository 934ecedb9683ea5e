// SPDX-License-Identifier: GPL-2.0
/* Sets of superblocks, each a tree whose root comes first in the table. */
#include "stacking_disk.h"

#include "stacking.h"

void stacking_disk_init(struct stacking *stacking)
{
	size_t i;

	for (i = 0; i < stacking->nr_supers; i++) {
		stacking->supers[i].has_disk = false;
		stacking->supers[i].shares = i;
		stacking->supers[i].disk = 0;
	}
}

/* The root of a tree, which gets lower on the way. */
static size_t find_root(struct stacking_super *supers, size_t index)
{
	while (supers[index].shares != index) {
		supers[index].shares = supers[supers[index].shares].shares;
		index = supers[index].shares;
	}
	return index;
}

void stacking_disk_share(struct stacking *stacking, size_t above, size_t beneath)
{
	struct stacking_super *supers = stacking->supers;
	size_t one, other;

	if (!supers[beneath].has_disk)
		return;
	supers[above].has_disk = true;
	one = find_root(supers, above);
	other = find_root(supers, beneath);
	if (one < other)
		supers[other].shares = one;
	else
		supers[one].shares = other;
}

void stacking_disk_number(struct stacking *stacking)
{
	struct stacking_super *supers = stacking->supers;
	unsigned int nr = 0;
	size_t i, root;

	for (i = 0; i < stacking->nr_supers; i++) {
		if (!supers[i].is_target || !supers[i].has_disk)
			continue;
		root = find_root(supers, i);
		if (!supers[root].disk) /* which may be no target */
			supers[root].disk = ++nr;
		supers[i].disk = supers[root].disk;
	}
}
