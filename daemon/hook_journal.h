/* SPDX-License-Identifier: GPL-2.0 */
/* Results of hooks for the journal, with a field for each part. */
#ifndef KFREEZE_HOOK_JOURNAL_H
#define KFREEZE_HOOK_JOURNAL_H

#include <stdint.h>

struct hook_log_entry;

/* May block: for a process that can. @id: of the cycle. */
void hook_journal_send(const struct hook_log_entry *entry, uint32_t id);

#endif
