// SPDX-License-Identifier: GPL-2.0
/* The name of the host, its time zone and its load. */
#include "query_system.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "query_child.h"

int query_system_host_name(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_TEXT};

	if (gethostname(record.text, sizeof(record.text) - 1))
		return query_child_fail(child, -errno, "cannot get hostname");
	return child->emit(child->data, &record);
}

int query_system_timezone(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_ZONE};
	time_t now = time(NULL);
	struct tm tm;

	tzset(); /* it may have changed since we started */
	if (!localtime_r(&now, &tm))
		return query_child_fail(child, -errno,
					"Couldn't retrieve local timezone");
	snprintf(record.zone.name, sizeof(record.zone.name), "%s", tm.tm_zone);
	record.zone.offset_s = tm.tm_gmtoff;
	return child->emit(child->data, &record);
}

int query_system_load(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_LOAD_AVERAGES};
	struct sysinfo info;
	unsigned int i;

	if (sysinfo(&info))
		return query_child_fail(child, -errno,
					"cannot query load average");
	for (i = 0; i < 3; i++)
		record.load.averages[i] = info.loads[i];
	return child->emit(child->data, &record);
}
