/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that stays where it is while filesystems are frozen. */
#ifndef KFREEZE_MEMORY_H
#define KFREEZE_MEMORY_H

/* Keep what is in memory there, and what comes: swapping in may need a
 * filesystem that is frozen. 0 or -errno. */
int memory_lock(void);

#endif
