/* SPDX-License-Identifier: GPL-2.0 */
/* What the numbers in a report are called. */
#ifndef KFREEZE_REPORT_NAME_H
#define KFREEZE_REPORT_NAME_H

#include <stdint.h>

/* @verdict, @application: as ipc.h has checked them. */
const char *report_name_verdict(uint32_t verdict);
/* "" if no hook ran. */
const char *report_name_application(uint32_t application);
/* "unknown" for what only a newer module knows. */
const char *report_name_target_state(uint32_t target_state);

#endif
