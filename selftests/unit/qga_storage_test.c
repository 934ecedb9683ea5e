// SPDX-License-Identifier: GPL-2.0
/* Disks, filesystems and trims as JSON. */
#include "qga_harness.h"

static const struct query_record scsi = {
	.kind = QUERY_ADDRESS,
	.address = {.bus_type = QUERY_BUS_SCSI,
		    .pci = {0, 1, 2, 3},
		    .bus = 4,
		    .target = 5,
		    .unit = 6,
		    .serial = "a\x01\xff",
		    .dev = "/dev/sda"},
};
#define SCSI                                                             \
	"{\"pci-controller\": {\"domain\": 0, \"bus\": 1, \"slot\": 2, " \
	"\"function\": 3}, \"bus-type\": \"scsi\", \"bus\": 4, "         \
	"\"target\": 5, \"unit\": 6, \"serial\": \"a\\u0001\\uFFFD\", "  \
	"\"dev\": \"/dev/sda\"}"

static const struct query_record mainframe = {
	.kind = QUERY_ADDRESS,
	.address = {.bus_type = QUERY_BUS_VIRTIO,
		    .pci = {-1, -1, -1, -1},
		    .ccw = {1, 254, 0, 7, 8}},
};
#define MAINFRAME                                                           \
	"{\"pci-controller\": {\"domain\": -1, \"bus\": -1, \"slot\": -1, " \
	"\"function\": -1}, \"bus-type\": \"virtio\", \"bus\": 0, "         \
	"\"target\": 0, \"unit\": 0, \"ccw-address\": {\"cssid\": 254, "    \
	"\"ssid\": 0, \"subchno\": 7, \"devno\": 8}}"

TEST(filesystems_with_their_disks)
{
	const struct query_record root = {
		.kind = QUERY_FILESYSTEM,
		.filesystem = {.name = "dm-0",
			       .mountpoint = "/srv/\xc3\xa9\n",
			       .type = "ext4",
			       .has_sizes = 1,
			       .used_bytes = 1,
			       .total_bytes = 2,
			       .total_bytes_privileged = 3},
	};
	const struct query_record loop = {
		.kind = QUERY_FILESYSTEM,
		.filesystem = {.name = "loop0", .mountpoint = "/l", .type = "xfs"},
	};
	const struct query_record records[] = {root, scsi, mainframe, loop};

	check_reply("guest-get-fsinfo", QUERY_FSINFO, records, 4,
		    "[{\"name\": \"dm-0\", \"mountpoint\": \"/srv/\\u00E9\\n\", "
		    "\"type\": \"ext4\", \"used-bytes\": 1, \"total-bytes\": 2, "
		    "\"total-bytes-privileged\": 3, \"disk\": [" SCSI
		    ", " MAINFRAME "]}, "
		    "{\"name\": \"loop0\", \"mountpoint\": \"/l\", "
		    "\"type\": \"xfs\", \"disk\": []}]");
}

TEST(disks_with_what_belongs_to_them)
{
	const struct query_record records[] = {
		{.kind = QUERY_DISK, .disk = {.name = "/dev/sda"}},
		scsi,
		{.kind = QUERY_DISK,
		 .disk = {.name = "/dev/dm-0", .alias = "vg-data"}},
		{.kind = QUERY_DEPENDENCY, .text = "/dev/sda1"},
		{.kind = QUERY_DEPENDENCY, .text = "/dev/sda2"},
		{.kind = QUERY_DISK,
		 .disk = {.name = "/dev/sda1", .is_partition = 1}},
		{.kind = QUERY_DEPENDENCY, .text = "/dev/sda"},
	};

	check_reply("guest-get-disks", QUERY_DISKS, records, 7,
		    "[{\"name\": \"/dev/sda\", \"partition\": false, "
		    "\"dependencies\": [], \"address\": " SCSI "}, "
		    "{\"name\": \"/dev/dm-0\", \"partition\": false, "
		    "\"alias\": \"vg-data\", "
		    "\"dependencies\": [\"/dev/sda1\", \"/dev/sda2\"]}, "
		    "{\"name\": \"/dev/sda1\", \"partition\": true, "
		    "\"dependencies\": [\"/dev/sda\"]}]");
}

TEST(smart_of_nvme)
{
	struct query_record records[] = {
		{.kind = QUERY_DISK, .disk = {.name = "/dev/nvme0n1"}},
		{.kind = QUERY_SMART},
	};
	unsigned int i;

	for (i = 0; i < QUERY_SMART_VALUES; i++)
		records[1].smart.values[i] = i;
	check_reply("guest-get-disks", QUERY_DISKS, records, 2,
		    "[{\"name\": \"/dev/nvme0n1\", \"partition\": false, "
		    "\"dependencies\": [], \"smart\": {\"type\": \"nvme\", "
		    "\"critical-warning\": 0, \"temperature\": 1, "
		    "\"available-spare\": 2, \"available-spare-threshold\": 3, "
		    "\"percentage-used\": 4, \"data-units-read-lo\": 5, "
		    "\"data-units-read-hi\": 6, \"data-units-written-lo\": 7, "
		    "\"data-units-written-hi\": 8, \"host-read-commands-lo\": 9, "
		    "\"host-read-commands-hi\": 10, "
		    "\"host-write-commands-lo\": 11, "
		    "\"host-write-commands-hi\": 12, "
		    "\"controller-busy-time-lo\": 13, "
		    "\"controller-busy-time-hi\": 14, \"power-cycles-lo\": 15, "
		    "\"power-cycles-hi\": 16, \"power-on-hours-lo\": 17, "
		    "\"power-on-hours-hi\": 18, \"unsafe-shutdowns-lo\": 19, "
		    "\"unsafe-shutdowns-hi\": 20, \"media-errors-lo\": 21, "
		    "\"media-errors-hi\": 22, "
		    "\"number-of-error-log-entries-lo\": 23, "
		    "\"number-of-error-log-entries-hi\": 24}}]");
}

/* The monitor is not believed to know the order. */
TEST(records_that_belong_to_nothing_are_left_out)
{
	const struct query_record dependency = {
		.kind = QUERY_DEPENDENCY,
		.text = "/dev/sda",
	};

	check_reply("guest-get-disks", QUERY_DISKS, &dependency, 1, "[]");
	check_reply("guest-get-disks", QUERY_DISKS, &scsi, 1, "[]");
	check_reply("guest-get-fsinfo", QUERY_FSINFO, &scsi, 1, "[]");
}

TEST(fstrim)
{
	const struct query_record records[] = {
		{.kind = QUERY_TRIMMED,
		 .trimmed = {.path = "/a", .trimmed = 1 << 20, .minimum = 4096}},
		{.kind = QUERY_TRIMMED,
		 .trimmed = {.path = "/b", .error = "trim not supported"}},
	};

	check_reply("guest-fstrim", QUERY_FSTRIM, records, 2,
		    "{\"paths\": [{\"path\": \"/a\", \"trimmed\": 1048576, "
		    "\"minimum\": 4096}, {\"path\": \"/b\", "
		    "\"error\": \"trim not supported\"}]}");
}

TEST(fstrim_with_a_minimum)
{
	struct ipc_request request;

	harness_start();
	say("{\"execute\":\"guest-fstrim\",\"arguments\":{\"minimum\":4096}}");
	request = monitor_is_asked(QUERY_FSTRIM);
	CHECK_EQ(request.query.fstrim.minimum, 4096);
	harness_stop();
}
