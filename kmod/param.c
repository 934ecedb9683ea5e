// SPDX-License-Identifier: GPL-2.0
/* The module's parameters: read-only, and refused when out of range. */
#include "param.h"

#include <linux/errno.h>
#include <linux/moduleparam.h>
#include <linux/module.h>
#include <linux/printk.h>

#include <linux/kfreeze.h>

#define KFREEZE_MIN_MAX_TIMEOUT_MS 1000
#define KFREEZE_MAX_MAX_TIMEOUT_MS 600000
#define KFREEZE_MAX_MIN_INTERVAL_MS 600000

static struct kfreeze_limits kfreeze_limits = {
	.timeout_ms = 60000,
	.max_timeout_ms = 120000,
	.flush_timeout_ms = 60000,
	.min_interval_ms = 100,
};

module_param_named(timeout_ms, kfreeze_limits.timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms,
		 "default time limit of a freeze, 1 to max_timeout_ms");
module_param_named(max_timeout_ms, kfreeze_limits.max_timeout_ms, uint, 0444);
MODULE_PARM_DESC(max_timeout_ms,
		 "longest time limit of a freeze, 1000 to 600000");
module_param_named(flush_timeout_ms, kfreeze_limits.flush_timeout_ms, uint, 0444);
MODULE_PARM_DESC(flush_timeout_ms, "default time limit of a flush, 1 to 600000");
module_param_named(min_interval_ms, kfreeze_limits.min_interval_ms, uint, 0444);
MODULE_PARM_DESC(min_interval_ms,
		 "from the end of a freeze to the next one, 0 to 600000");

static bool kfreeze_param_in_range(const char *name, u32 value, u32 min, u32 max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("kfreeze: parameter %s=%u is out of range, %u to %u\n", name,
	       value, min, max);
	return false;
}

/**
 * kfreeze_param_check - are the parameters in range?
 *
 * Context: any, once: when the module is loaded.
 * Return: 0, or -EINVAL after saying in the kernel log which one is not.
 */
int kfreeze_param_check(void)
{
	const struct kfreeze_limits *limits = &kfreeze_limits;

	if (!kfreeze_param_in_range("max_timeout_ms", limits->max_timeout_ms,
				    KFREEZE_MIN_MAX_TIMEOUT_MS,
				    KFREEZE_MAX_MAX_TIMEOUT_MS) ||
	    !kfreeze_param_in_range("timeout_ms", limits->timeout_ms, 1,
				    limits->max_timeout_ms) ||
	    !kfreeze_param_in_range("flush_timeout_ms", limits->flush_timeout_ms,
				    1, KFREEZE_MAX_FLUSH_TIMEOUT_MS) ||
	    !kfreeze_param_in_range("min_interval_ms", limits->min_interval_ms,
				    0, KFREEZE_MAX_MIN_INTERVAL_MS))
		return -EINVAL;
	return 0;
}

/**
 * kfreeze_param_limits - the parameters
 *
 * Context: any.
 * Return: them; they do not change.
 */
const struct kfreeze_limits *kfreeze_param_limits(void)
{
	return &kfreeze_limits;
}
