// SPDX-License-Identifier: GPL-2.0
/* See host.h. */
#include "host.h"

#include <stdlib.h>

static void reply(void *data, const char *bytes, size_t len)
{
	(void)data;
	if (!len || bytes[len - 1] != '\n')
		abort();
}

static void greeted(void *data)
{
	(void)data;
}

const struct config host_config = {.timeout_ms = 60000, .lost_ttl_ms = 600000};
const struct qga_ops host_ops = {.reply = reply, .greeted = greeted};
