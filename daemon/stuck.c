// SPDX-License-Identifier: GPL-2.0
/* Each thaws itself as soon as the kernel gets there. */
#include "stuck.h"

#include <stdbool.h>
#include <stdlib.h>

#include "freezer.h"
#include "hooks.h"
#include "log.h"
#include "mounts.h"

/* The cycle is over, so none of these is as it should be. */
static bool is_stuck(const struct freezer_target *record)
{
	switch (record->state) {
	case KFREEZE_TARGET_FREEZING:
	case KFREEZE_TARGET_FROZEN:
	case KFREEZE_TARGET_THAWING:
	case KFREEZE_TARGET_STUCK:
		return true;
	default:
		return false;
	}
}

void stuck_tell(const struct mounts *mounts, const struct freezer_target *records)
{
	struct mounts stuck = {
		.targets = calloc(mounts->nr_targets, sizeof(*stuck.targets)),
	};
	size_t i;

	for (i = 0; stuck.targets && i < mounts->nr_targets; i++) {
		if (!is_stuck(&records[i]))
			continue;
		stuck.targets[stuck.nr_targets++] = mounts->targets[i];
		log_err("%s (%s): stays frozen until the kernel answers, thaw hooks do not wait for it",
			mounts->targets[i].path, mounts->targets[i].source);
	}
	if (stuck.nr_targets)
		hooks_tell_stuck(&stuck);
	free(stuck.targets);
}
