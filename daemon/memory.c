// SPDX-License-Identifier: GPL-2.0
/* Memory that stays where it is while filesystems are frozen. */
#include "memory.h"

#include <errno.h>
#include <sys/mman.h>

/* Not what was never used: most of the libraries. Should it be needed, it is
 * read, from a frozen filesystem too. */
int memory_lock(void)
{
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? -errno : 0;
}
