/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a host may want to know of the system, or do to it: asked by the agent,
 * looked up or done by the monitor, answered by records of fixed size.
 */
#ifndef KFREEZE_QUERY_H
#define KFREEZE_QUERY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define QUERY_MAX_RECORDS 8192 /* of one answer */
#define QUERY_NAME_MAX 256

/* With the kinds of records that answer it. */
enum query_topic {
	QUERY_HOST_NAME = 1, /* QUERY_TEXT */
	QUERY_TIMEZONE, /* QUERY_ZONE */
	QUERY_LOAD, /* QUERY_LOAD_AVERAGES */
	QUERY_OSINFO, /* QUERY_OS */
	QUERY_USERS, /* QUERY_USER */
	QUERY_SET_TIME, /* none: it is done */
	QUERY_CPUSTATS, /* QUERY_CPU_TIMES */
	QUERY_DISKSTATS, /* QUERY_DISK_COUNTERS */
	QUERY_DISKS, /* QUERY_DISK, each with what belongs to it after it */
	QUERY_FSINFO, /* QUERY_FILESYSTEM, each with its QUERY_ADDRESSes */
	QUERY_FSTRIM, /* QUERY_TRIMMED */
	QUERY_INTERFACES, /* QUERY_INTERFACE, each with its QUERY_IPs */
	QUERY_ROUTES, /* QUERY_ROUTE */
	QUERY_VCPUS, /* QUERY_UNIT */
	QUERY_SET_VCPUS, /* QUERY_NUMBER: how many were as asked for, or are now */
	QUERY_MEMORY_BLOCKS, /* QUERY_UNIT */
	QUERY_SET_MEMORY_BLOCKS, /* QUERY_SWITCHED */
	QUERY_MEMORY_BLOCK_SIZE, /* QUERY_NUMBER: bytes */
	QUERY_SHUTDOWN, /* none: it is under way */
	QUERY_SUSPEND, /* none: likewise */
	QUERY_TOPIC_MAX = QUERY_SUSPEND,
};

#define QUERY_UNITS_MAX 500 /* of one query */

enum query_shutdown {
	QUERY_POWERDOWN,
	QUERY_HALT,
	QUERY_REBOOT,
	QUERY_SHUTDOWN_MAX = QUERY_REBOOT,
};

enum query_suspend {
	QUERY_SUSPEND_DISK,
	QUERY_SUSPEND_RAM,
	QUERY_SUSPEND_HYBRID,
	QUERY_SUSPEND_MAX = QUERY_SUSPEND_HYBRID,
};

struct query {
	uint32_t topic; /* enum query_topic */
	union {
		struct {
			uint32_t is_given; /* 0: take it from the hardware clock */
			int64_t ns; /* since 1970 */
		} set_time;
		struct {
			uint64_t minimum; /* bytes */
		} fstrim;
		struct {
			uint32_t nr;
			struct {
				uint32_t index;
				uint32_t online; /* 0 or 1 */
			} items[QUERY_UNITS_MAX];
		} units; /* QUERY_SET_VCPUS, QUERY_SET_MEMORY_BLOCKS */
		uint32_t mode; /* enum query_shutdown, enum query_suspend */
	};
};

enum query_record_kind {
	QUERY_TEXT = 1,
	QUERY_ZONE,
	QUERY_LOAD_AVERAGES,
	QUERY_OS,
	QUERY_USER,
	QUERY_CPU_TIMES,
	QUERY_DISK_COUNTERS,
	QUERY_DISK,
	QUERY_DEPENDENCY, /* of the disk before it */
	QUERY_ADDRESS, /* of the disk or filesystem before it */
	QUERY_SMART, /* of the disk before it */
	QUERY_FILESYSTEM,
	QUERY_TRIMMED,
	QUERY_INTERFACE,
	QUERY_IP, /* of the interface before it */
	QUERY_ROUTE,
	QUERY_UNIT,
	QUERY_SWITCHED,
	QUERY_NUMBER,
	QUERY_RECORD_KIND_MAX = QUERY_NUMBER,
};

struct query_zone {
	char name[64];
	int32_t offset_s; /* east of UTC */
};

struct query_load {
	uint64_t averages[3]; /* 1, 5, 15 minutes, in 1/65536 */
};

struct query_os { /* "": unknown */
	char kernel_release[65], kernel_version[65], machine[65];
	char id[64], name[128], pretty_name[256];
	char version[128], version_id[64];
	char variant[128], variant_id[64];
};

struct query_user {
	char name[64];
	uint64_t login_us; /* since 1970 */
};

#define QUERY_CPU_TIMES_MAX 10

struct query_cpu {
	uint32_t cpu;
	uint32_t nr; /* how many the kernel knows, in the order of /proc/stat */
	uint64_t times_ms[QUERY_CPU_TIMES_MAX];
};

#define QUERY_DISK_COUNTERS_MAX 17

struct query_counters {
	char name[64];
	uint32_t major, minor;
	uint32_t nr; /* likewise, in the order of /proc/diskstats */
	uint64_t values[QUERY_DISK_COUNTERS_MAX];
};

struct query_disk {
	char name[QUERY_NAME_MAX]; /* "/dev/..." */
	char alias[QUERY_NAME_MAX]; /* of device mapper; "": none */
	uint32_t is_partition;
};

enum query_bus {
	QUERY_BUS_UNKNOWN,
	QUERY_BUS_IDE,
	QUERY_BUS_SCSI,
	QUERY_BUS_VIRTIO,
	QUERY_BUS_USB,
	QUERY_BUS_SATA,
	QUERY_BUS_NVME,
	QUERY_BUS_MAX = QUERY_BUS_NVME,
};

struct query_address {
	uint32_t bus_type; /* enum query_bus */
	struct {
		int32_t domain, bus, slot, function;
	} pci; /* -1: unknown */
	struct {
		uint32_t is_known;
		uint32_t cssid, ssid, subchno, devno;
	} ccw;
	uint32_t bus, target, unit;
	char serial[QUERY_NAME_MAX], dev[QUERY_NAME_MAX]; /* "": unknown */
};

/* In the order of the NVMe specification: five small ones, then low and high
 * halves. */
#define QUERY_SMART_VALUES 25

struct query_smart {
	uint64_t values[QUERY_SMART_VALUES];
};

struct query_filesystem {
	char name[64]; /* of the device, without directory */
	char mountpoint[PATH_MAX];
	char type[64];
	uint32_t has_sizes;
	uint64_t used_bytes, total_bytes, total_bytes_privileged;
};

struct query_trimmed {
	char path[PATH_MAX];
	char error[128]; /* "": there are the two numbers */
	uint64_t trimmed, minimum;
};

#define QUERY_IP_MAX 46
#define QUERY_NET_COUNTERS 8

struct query_interface {
	char name[64];
	char mac[18]; /* "": none */
	uint32_t has_counters;
	/* received: bytes, packets, errors, dropped; then sent */
	uint64_t counters[QUERY_NET_COUNTERS];
};

struct query_ip {
	char address[QUERY_IP_MAX];
	uint32_t is_ipv6, prefix;
};

struct query_route {
	uint32_t is_ipv6;
	char iface[64];
	char destination[QUERY_IP_MAX], gateway[QUERY_IP_MAX];
	uint64_t flags;
	int64_t metric, refcnt, use;
	/* IPv4 */
	char mask[QUERY_IP_MAX];
	int64_t mtu, window, irtt;
	/* IPv6 */
	char source[QUERY_IP_MAX];
	uint32_t prefix, source_prefix;
};

/* A processor or a block of memory. */
struct query_unit {
	uint64_t index;
	uint32_t online, can_offline;
};

enum query_result {
	QUERY_DONE,
	QUERY_NOT_FOUND,
	QUERY_NOT_SUPPORTED,
	QUERY_FAILED,
	QUERY_RESULT_MAX = QUERY_FAILED,
};

struct query_switched {
	uint64_t index;
	uint32_t result; /* enum query_result */
	int32_t err; /* errno, unless done */
};

struct query_record {
	uint32_t kind; /* enum query_record_kind */
	union {
		char text[QUERY_NAME_MAX];
		struct query_zone zone;
		struct query_load load;
		struct query_os os;
		struct query_user user;
		struct query_cpu cpu;
		struct query_counters counters;
		struct query_disk disk;
		struct query_address address;
		struct query_smart smart;
		struct query_filesystem filesystem;
		struct query_trimmed trimmed;
		struct query_interface interface;
		struct query_ip ip;
		struct query_route route;
		struct query_unit unit;
		struct query_switched switched;
		uint64_t number;
	};
};

/* Every enum is one, every string ends. */
bool query_is_valid(const struct query *query);
bool query_record_is_valid(const struct query_record *record);

/* A record that may answer a query about @topic. */
bool query_expects(uint32_t topic, const struct query_record *record);

#endif
