// SPDX-License-Identifier: GPL-2.0
/* /sys/block: disks with a size, what they lie on, where they are plugged in,
 * and their partitions. */
#include "query_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "query_address.h"
#include "query_child.h"
#include "query_file.h"
#include "query_smart.h"

#define SYS_BLOCK "/sys/block"

/* False: it has none. */
static bool device_name(const struct query_child *child, const char *directory,
			const char *name, char device[QUERY_NAME_MAX])
{
	char syspath[PATH_MAX];

	snprintf(syspath, sizeof(syspath), "%s/%s", directory, name);
	return query_address_device(child, syspath, device);
}

static int emit_dependency(struct query_child *child, const char *directory,
			   const char *name, void *unused)
{
	struct query_record record = {.kind = QUERY_DEPENDENCY};

	(void)unused;
	if (!device_name(child, directory, name, record.text))
		return 0;
	return child->emit(child->data, &record);
}

/* @data: the name of its disk */
static int emit_partition(struct query_child *child, const char *directory,
			  const char *name, void *data)
{
	struct query_record record = {.kind = QUERY_DISK};
	int err;

	if (!query_file_exists(child, "%s/%s/partition", directory, name) ||
	    !device_name(child, directory, name, record.disk.name))
		return 0;
	record.disk.is_partition = 1;
	err = child->emit(child->data, &record);
	if (err)
		return err;
	memset(&record, 0, sizeof(record));
	record.kind = QUERY_DEPENDENCY;
	snprintf(record.text, sizeof(record.text), "%s", (const char *)data);
	return child->emit(child->data, &record);
}

static int emit_address(struct query_child *child, const char *directory,
			const char *device)
{
	struct query_record record = {.kind = QUERY_ADDRESS};
	char syspath[PATH_MAX];
	int err;

	if (query_file_resolve(child, syspath, "%s", directory) ||
	    query_address_is_virtual(syspath) ||
	    !query_address_find(child, syspath, &record.address))
		return 0;
	err = child->emit(child->data, &record);
	if (err || record.address.bus_type != QUERY_BUS_NVME)
		return err;
	memset(&record, 0, sizeof(record));
	record.kind = QUERY_SMART;
	if (query_smart_read(device, &record.smart))
		return 0;
	return child->emit(child->data, &record);
}

static int emit_details(struct query_child *child, const char *directory,
			char *device)
{
	char slaves[PATH_MAX];
	int err = emit_address(child, directory, device);

	if (err)
		return err;
	snprintf(slaves, sizeof(slaves), "%s/slaves", directory);
	err = query_file_each(child, slaves, emit_dependency, NULL);
	if (err && err != -ENOENT)
		return err;
	return query_file_each(child, directory, emit_partition, device);
}

static int emit_disk(struct query_child *child, const char *parent,
		     const char *name, void *unused)
{
	struct query_record record = {.kind = QUERY_DISK};
	char directory[sizeof(SYS_BLOCK) + NAME_MAX + 1], size[32];
	int err;

	(void)unused;
	snprintf(directory, sizeof(directory), "%s/%s", parent, name);
	if (query_file_line(child, size, sizeof(size), "%s/size", directory) ||
	    !strcmp(size, "0") ||
	    !device_name(child, parent, name, record.disk.name))
		return 0;
	query_file_line(child, record.disk.alias, sizeof(record.disk.alias),
			"%s/dm/name", directory);
	err = child->emit(child->data, &record);
	return err ? err : emit_details(child, directory, record.disk.name);
}

int query_disk_all(struct query_child *child)
{
	int err = query_file_each(child, SYS_BLOCK, emit_disk, NULL);

	if (err && !*child->text)
		return query_child_fail(child, err,
					"Can't open directory \"" SYS_BLOCK
					"\": %s",
					strerror(-err));
	return err;
}
