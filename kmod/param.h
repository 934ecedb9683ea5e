/* SPDX-License-Identifier: GPL-2.0 */
/* The module's parameters. */
#ifndef KFREEZE_PARAM_H
#define KFREEZE_PARAM_H

#include <linux/types.h>

/**
 * struct kfreeze_limits - the module's parameters, fixed once it is loaded
 * @timeout_ms: default time limit of a freeze
 * @max_timeout_ms: the longest one that can be asked for
 * @flush_timeout_ms: default time limit of a flush
 * @min_interval_ms: from the end of a freeze to the next one
 */
struct kfreeze_limits {
	u32 timeout_ms;
	u32 max_timeout_ms;
	u32 flush_timeout_ms;
	u32 min_interval_ms;
};

int kfreeze_param_check(void);
const struct kfreeze_limits *kfreeze_param_limits(void);

#endif
