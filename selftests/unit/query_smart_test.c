// SPDX-License-Identifier: GPL-2.0
/* The log page of a drive that is played here, byte by byte. */
/* link: query_smart */
#include "ktap.h"

#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "query.h"
#include "query_smart.h"

static uint8_t page[512];
static int status;

/* In place of the system's: the drive. */
int ioctl(int fd, unsigned long request, ...)
{
	struct nvme_admin_cmd *command;
	va_list args;

	CHECK(fd >= 0);
	CHECK_EQ(request, NVME_IOCTL_ADMIN_CMD);
	va_start(args, request);
	command = va_arg(args, struct nvme_admin_cmd *);
	va_end(args);
	/* Get Log Page; of the controller; page 2, 128 words, events kept */
	CHECK_EQ(command->opcode, 2);
	CHECK_EQ(command->nsid, 0xffffffff);
	CHECK_EQ(command->cdw10, 0x7f8002);
	CHECK_EQ(command->data_len, sizeof(page));
	if (status < 0) {
		errno = -status;
		return -1;
	}
	memcpy((void *)(uintptr_t)command->addr, page, sizeof(page));
	return status;
}

TEST(every_value_is_where_the_specification_says)
{
	struct query_smart smart;
	size_t i;

	for (i = 0; i < sizeof(page); i++)
		page[i] = i;
	CHECK_EQ(query_smart_read("/dev/null", &smart), 0);
	CHECK_EQ(smart.values[0], 0);
	CHECK_EQ(smart.values[1], 0x0201);
	CHECK_EQ(smart.values[2], 3);
	CHECK_EQ(smart.values[3], 4);
	CHECK_EQ(smart.values[4], 5);
	CHECK_EQ(smart.values[5], 0x2726252423222120);
	CHECK_EQ(smart.values[6], 0x2f2e2d2c2b2a2928);
	CHECK_EQ(smart.values[7], 0x3736353433323130);
}

TEST(drive_that_refuses)
{
	struct query_smart smart;

	status = 0x4002;
	CHECK_EQ(query_smart_read("/dev/null", &smart), -EIO);
	status = -ENOTTY;
	CHECK_EQ(query_smart_read("/dev/null", &smart), -ENOTTY);
}

TEST(drive_that_is_not_there)
{
	struct query_smart smart;

	CHECK_EQ(query_smart_read("/dev/none", &smart), -ENOENT);
}
