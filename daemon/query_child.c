// SPDX-License-Identifier: GPL-2.0
/* What all topics need. */
#include "query_child.h"

#include <stdarg.h>
#include <stdio.h>

int query_child_fail(struct query_child *child, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(child->text, sizeof(child->text), fmt, args);
	va_end(args);
	return err;
}
