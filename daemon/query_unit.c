// SPDX-License-Identifier: GPL-2.0
/* Directories of sysfs, cpuN and memoryN, with a file that is the switch. */
#include "query_unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "query_child.h"
#include "query_file.h"

#define CPUS "/sys/devices/system/cpu"
#define MEMORY "/sys/devices/system/memory"

struct indices {
	const char *prefix; /* of the names wanted */
	uint64_t *list;
	size_t nr;
};

static int add_index(struct query_child *child, const char *directory,
		     const char *name, void *data)
{
	struct indices *indices = data;
	size_t len = strlen(indices->prefix);
	uint64_t *longer, index;
	char rest;

	(void)child, (void)directory;
	if (strncmp(name, indices->prefix, len) ||
	    sscanf(name + len, "%" SCNu64 "%c", &index, &rest) != 1)
		return 0;
	longer = realloc(indices->list, (indices->nr + 1) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	longer[indices->nr++] = index;
	indices->list = longer;
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Calls @emit in the order of numbers, which is not that of names. */
static int each(struct query_child *child, const char *directory,
		const char *prefix,
		int (*emit)(struct query_child *child, uint64_t index))
{
	struct indices indices = {.prefix = prefix};
	size_t i;
	int err;

	err = query_file_each(child, directory, add_index, &indices);
	if (err)
		query_child_fail(child, err, "Can't open directory \"%s/\": %s",
				 directory, strerror(-err));
	if (indices.nr)
		qsort(indices.list, indices.nr, sizeof(*indices.list), compare);
	for (i = 0; !err && i < indices.nr; i++)
		err = emit(child, indices.list[i]);
	free(indices.list);
	return err;
}

/* A processor without the file is always online. */
static int read_vcpu(struct query_child *child, uint64_t index,
		     struct query_unit *unit)
{
	char line[16];
	int err;

	*unit = (struct query_unit){.index = index, .online = 1};
	err = query_file_line(child, line, sizeof(line),
			      CPUS "/cpu%" PRIu64 "/online", index);
	if (err == -ENOENT)
		return 0;
	unit->can_offline = 1;
	unit->online = !err && *line != '0';
	return err;
}

static int emit_vcpu(struct query_child *child, uint64_t index)
{
	struct query_record record = {.kind = QUERY_UNIT};
	int err = read_vcpu(child, index, &record.unit);

	if (err)
		return query_child_fail(child, err,
					CPUS "/cpu%" PRIu64 "/online: %s",
					index, strerror(-err));
	return child->emit(child->data, &record);
}

int query_unit_vcpus(struct query_child *child)
{
	return each(child, CPUS, "cpu", emit_vcpu);
}

static int set_vcpu(struct query_child *child, uint64_t index, bool online)
{
	struct query_unit unit;
	int err;

	if (!query_file_exists(child, CPUS "/cpu%" PRIu64, index))
		return query_child_fail(child, -ENOENT,
					"Could not open '" CPUS "/cpu%" PRIu64
					"/': %s",
					index, strerror(ENOENT));
	err = read_vcpu(child, index, &unit);
	if (!err && unit.online == online)
		return 0;
	if (!err && !unit.can_offline)
		return query_child_fail(child, -EOPNOTSUPP,
					"logical processor #%" PRIu64
					" can't be offlined",
					index);
	if (!err)
		err = query_file_write(child, online ? "1" : "0",
				       CPUS "/cpu%" PRIu64 "/online", index);
	return err ? query_child_fail(child, err,
				      "write(\"" CPUS "/cpu%" PRIu64
				      "/online\"): %s",
				      index, strerror(-err))
		   : 0;
}

/* In their order up to the first that fails: that one is an error only if it
 * is the first of all. */
int query_unit_set_vcpus(struct query_child *child)
{
	const struct query *query = child->query;
	struct query_record record = {.kind = QUERY_NUMBER};
	uint32_t i;
	int err = 0;

	for (i = 0; i < query->units.nr; i++) {
		err = set_vcpu(child, query->units.items[i].index,
			       query->units.items[i].online);
		if (err)
			break;
	}
	if (err && !i)
		return err;
	*child->text = '\0';
	record.number = i;
	return child->emit(child->data, &record);
}

static int read_block(struct query_child *child, uint64_t index,
		      struct query_unit *unit)
{
	char state[32], removable[16];
	int err;

	*unit = (struct query_unit){.index = index};
	err = query_file_line(child, state, sizeof(state),
			      MEMORY "/memory%" PRIu64 "/state", index);
	if (err)
		return err;
	unit->online = !strcmp(state, "online");
	unit->can_offline = !query_file_line(child, removable, sizeof(removable),
					     MEMORY "/memory%" PRIu64
						    "/removable",
					     index) &&
			    *removable != '0';
	return 0;
}

static int emit_block(struct query_child *child, uint64_t index)
{
	struct query_record record = {.kind = QUERY_UNIT};
	int err = read_block(child, index, &record.unit);

	if (err)
		return query_child_fail(child, err,
					MEMORY "/memory%" PRIu64 "/state: %s",
					index, strerror(-err));
	return child->emit(child->data, &record);
}

int query_unit_memory_blocks(struct query_child *child)
{
	return each(child, MEMORY, "memory", emit_block);
}

static void set_block(struct query_child *child, uint64_t index, bool online,
		      struct query_switched *switched)
{
	struct query_unit unit;
	int err = -ENOENT;

	switched->index = index;
	if (!query_file_exists(child, MEMORY "/memory%" PRIu64, index)) {
		switched->result = QUERY_NOT_FOUND;
		switched->err = -err;
		return;
	}
	err = read_block(child, index, &unit);
	if (!err && unit.online != online)
		err = query_file_write(child, online ? "online" : "offline",
				       MEMORY "/memory%" PRIu64 "/state", index);
	if (!err)
		return;
	switched->result = err == -ENOENT ? QUERY_NOT_SUPPORTED : QUERY_FAILED;
	switched->err = -err;
}

int query_unit_set_memory_blocks(struct query_child *child)
{
	const struct query *query = child->query;
	struct query_record record;
	uint32_t i;
	int err = 0;

	if (!query_file_exists(child, MEMORY))
		return query_child_fail(child, -ENOENT,
					"Can't open directory \"" MEMORY
					"/\": %s",
					strerror(ENOENT));
	for (i = 0; !err && i < query->units.nr; i++) {
		record = (struct query_record){.kind = QUERY_SWITCHED};
		set_block(child, query->units.items[i].index,
			  query->units.items[i].online, &record.switched);
		err = child->emit(child->data, &record);
	}
	return err;
}

int query_unit_memory_block_size(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_NUMBER};
	char line[32];
	int err;

	err = query_file_line(child, line, sizeof(line),
			      MEMORY "/block_size_bytes");
	if (err)
		return query_child_fail(child, err,
					MEMORY "/block_size_bytes: %s",
					strerror(-err));
	record.number = strtoull(line, NULL, 16);
	return child->emit(child->data, &record);
}
