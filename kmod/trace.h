/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints kfreeze:flush, freeze, thaw and expire: device, level, error and
 * duration of the step; for expire, time since the first writer could block.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kfreeze

#if !defined(KFREEZE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KFREEZE_TRACE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

#include "target.h"

DECLARE_EVENT_CLASS(kfreeze_step,
	TP_PROTO(const struct kfreeze_record *record, int err, u64 ns),

	TP_ARGS(record, err, ns),

	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u8, level)
		__field(int, err)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->dev = record->dev;
		__entry->level = record->level;
		__entry->err = err;
		__entry->ns = ns;
	),

	TP_printk("dev=%u:%u level=%u error=%d ns=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->level,
		  __entry->err, __entry->ns)
);

DEFINE_EVENT(kfreeze_step, flush,
	TP_PROTO(const struct kfreeze_record *record, int err, u64 ns),
	TP_ARGS(record, err, ns));

DEFINE_EVENT(kfreeze_step, freeze,
	TP_PROTO(const struct kfreeze_record *record, int err, u64 ns),
	TP_ARGS(record, err, ns));

DEFINE_EVENT(kfreeze_step, thaw,
	TP_PROTO(const struct kfreeze_record *record, int err, u64 ns),
	TP_ARGS(record, err, ns));

DEFINE_EVENT(kfreeze_step, expire,
	TP_PROTO(const struct kfreeze_record *record, int err, u64 ns),
	TP_ARGS(record, err, ns));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
