// SPDX-License-Identifier: GPL-2.0
/* The log page "SMART / Health Information" of the NVMe specification. */
#include "query_smart.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "query.h"

#define OPCODE_GET_LOG_PAGE 0x02
#define LOG_SMART 0x02
#define RETAIN_EVENT (1 << 15) /* reading it acknowledges nothing */
#define ALL_NAMESPACES 0xffffffff

#define SMALL_VALUES 5

struct smart_log {
	uint8_t critical_warning;
	uint8_t temperature[2]; /* kelvin; not aligned */
	uint8_t available_spare;
	uint8_t available_spare_threshold;
	uint8_t percentage_used;
	uint8_t unused[26];
	uint64_t counters[QUERY_SMART_VALUES - SMALL_VALUES]; /* low, high */
	uint8_t rest[320];
};

_Static_assert(offsetof(struct smart_log, counters) == 32, "NVMe base 5.14.1.2");
_Static_assert(sizeof(struct smart_log) == 512, "NVMe base 5.14.1.2");

static int read_log(const char *device, struct smart_log *log)
{
	struct nvme_admin_cmd command = {
		.opcode = OPCODE_GET_LOG_PAGE,
		.nsid = ALL_NAMESPACES,
		.addr = (uintptr_t)log,
		.data_len = sizeof(*log),
		.cdw10 = LOG_SMART | RETAIN_EVENT |
			 (sizeof(*log) / sizeof(uint32_t) - 1) << 16,
	};
	int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);
	if (err < 0)
		err = -errno;
	else if (err > 0) /* NVMe's own codes */
		err = -EIO;
	close(fd);
	return err;
}

int query_smart_read(const char *device, struct query_smart *smart)
{
	struct smart_log log = {0};
	int err = read_log(device, &log);
	size_t i;

	if (err)
		return err;
	smart->values[0] = log.critical_warning;
	smart->values[1] = log.temperature[0] | log.temperature[1] << 8;
	smart->values[2] = log.available_spare;
	smart->values[3] = log.available_spare_threshold;
	smart->values[4] = log.percentage_used;
	for (i = SMALL_VALUES; i < QUERY_SMART_VALUES; i++)
		smart->values[i] = le64toh(log.counters[i - SMALL_VALUES]);
	return 0;
}
