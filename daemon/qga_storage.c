// SPDX-License-Identifier: GPL-2.0
/*
 * Disks and filesystems. Records that belong to another come after it: they
 * go into the last element of the result.
 */
#include "qga_storage.h"

#include <json-c/json.h>

#include "qga_json.h"
#include "qga_query.h"
#include "qga_request.h"
#include "query.h"

static const char *bus_name(uint32_t bus)
{
	static const char *const names[] = {
		[QUERY_BUS_UNKNOWN] = "unknown", [QUERY_BUS_IDE] = "ide",
		[QUERY_BUS_SCSI] = "scsi",	 [QUERY_BUS_VIRTIO] = "virtio",
		[QUERY_BUS_USB] = "usb",	 [QUERY_BUS_SATA] = "sata",
		[QUERY_BUS_NVME] = "nvme",
	};

	return names[bus];
}

static struct json_object *describe_address(const struct query_address *address)
{
	struct json_object *object = json_object_new_object();
	struct json_object *pci = json_object_new_object(), *ccw;

	qga_json_add_int(pci, "domain", address->pci.domain);
	qga_json_add_int(pci, "bus", address->pci.bus);
	qga_json_add_int(pci, "slot", address->pci.slot);
	qga_json_add_int(pci, "function", address->pci.function);
	qga_json_add(object, "pci-controller", pci);
	qga_json_add_string(object, "bus-type", bus_name(address->bus_type));
	qga_json_add_uint(object, "bus", address->bus);
	qga_json_add_uint(object, "target", address->target);
	qga_json_add_uint(object, "unit", address->unit);
	qga_json_add_known(object, "serial", address->serial);
	qga_json_add_known(object, "dev", address->dev);
	if (!address->ccw.is_known)
		return object;
	ccw = json_object_new_object();
	qga_json_add_uint(ccw, "cssid", address->ccw.cssid);
	qga_json_add_uint(ccw, "ssid", address->ccw.ssid);
	qga_json_add_uint(ccw, "subchno", address->ccw.subchno);
	qga_json_add_uint(ccw, "devno", address->ccw.devno);
	qga_json_add(object, "ccw-address", ccw);
	return object;
}

static struct json_object *describe_smart(const struct query_smart *smart)
{
	static const char *const keys[QUERY_SMART_VALUES] = {
		"critical-warning",
		"temperature",
		"available-spare",
		"available-spare-threshold",
		"percentage-used",
		"data-units-read-lo",
		"data-units-read-hi",
		"data-units-written-lo",
		"data-units-written-hi",
		"host-read-commands-lo",
		"host-read-commands-hi",
		"host-write-commands-lo",
		"host-write-commands-hi",
		"controller-busy-time-lo",
		"controller-busy-time-hi",
		"power-cycles-lo",
		"power-cycles-hi",
		"power-on-hours-lo",
		"power-on-hours-hi",
		"unsafe-shutdowns-lo",
		"unsafe-shutdowns-hi",
		"media-errors-lo",
		"media-errors-hi",
		"number-of-error-log-entries-lo",
		"number-of-error-log-entries-hi",
	};
	struct json_object *object = json_object_new_object();
	unsigned int i;

	qga_json_add_string(object, "type", "nvme");
	for (i = 0; i < QUERY_SMART_VALUES; i++)
		qga_json_add_uint(object, keys[i], smart->values[i]);
	return object;
}

static struct json_object *describe_disk(const struct query_disk *disk)
{
	struct json_object *object = json_object_new_object();

	qga_json_add_string(object, "name", disk->name);
	qga_json_add_bool(object, "partition", disk->is_partition);
	qga_json_add_known(object, "alias", disk->alias);
	qga_json_add(object, "dependencies", json_object_new_array());
	return object;
}

static void add_disk(struct json_object *result, const struct query_record *record)
{
	struct json_object *disk = qga_json_last(result);

	if (record->kind == QUERY_DISK)
		json_object_array_add(result, describe_disk(&record->disk));
	else if (disk && record->kind == QUERY_DEPENDENCY)
		json_object_array_add(json_object_object_get(disk, "dependencies"),
				      json_object_new_string(record->text));
	else if (disk && record->kind == QUERY_ADDRESS)
		qga_json_add(disk, "address", describe_address(&record->address));
	else if (disk)
		qga_json_add(disk, "smart", describe_smart(&record->smart));
}

void qga_get_disks(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_DISKS};

	qga_query(request, &query, json_object_new_array(), add_disk);
}

static struct json_object *
describe_filesystem(const struct query_filesystem *filesystem)
{
	struct json_object *object = json_object_new_object();

	qga_json_add_string(object, "name", filesystem->name);
	qga_json_add_string(object, "mountpoint", filesystem->mountpoint);
	qga_json_add_string(object, "type", filesystem->type);
	if (filesystem->has_sizes) {
		qga_json_add_uint(object, "used-bytes", filesystem->used_bytes);
		qga_json_add_uint(object, "total-bytes", filesystem->total_bytes);
		qga_json_add_uint(object, "total-bytes-privileged",
				  filesystem->total_bytes_privileged);
	}
	qga_json_add(object, "disk", json_object_new_array());
	return object;
}

static void add_filesystem(struct json_object *result,
			   const struct query_record *record)
{
	struct json_object *filesystem = qga_json_last(result);

	if (record->kind == QUERY_FILESYSTEM)
		json_object_array_add(result,
				      describe_filesystem(&record->filesystem));
	else if (filesystem)
		json_object_array_add(json_object_object_get(filesystem, "disk"),
				      describe_address(&record->address));
}

void qga_get_fsinfo(struct qga_request *request)
{
	const struct query query = {.topic = QUERY_FSINFO};

	qga_query(request, &query, json_object_new_array(), add_filesystem);
}

static void add_trimmed(struct json_object *result,
			const struct query_record *record)
{
	const struct query_trimmed *trimmed = &record->trimmed;
	struct json_object *object = json_object_new_object();

	qga_json_add_string(object, "path", trimmed->path);
	qga_json_add_known(object, "error", trimmed->error);
	if (!*trimmed->error) {
		qga_json_add_uint(object, "trimmed", trimmed->trimmed);
		qga_json_add_uint(object, "minimum", trimmed->minimum);
	}
	json_object_array_add(json_object_object_get(result, "paths"), object);
}

void qga_fstrim(struct qga_request *request)
{
	struct json_object *minimum = qga_argument(request, "minimum");
	struct json_object *result = json_object_new_object();
	struct query query = {.topic = QUERY_FSTRIM};

	qga_log(request, "guest-fstrim called");
	if (minimum)
		query.fstrim.minimum = json_object_get_int64(minimum);
	qga_json_add(result, "paths", json_object_new_array());
	qga_query(request, &query, result, add_trimmed);
}
