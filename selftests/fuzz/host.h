/* SPDX-License-Identifier: GPL-2.0 */
/* The host's end of an agent without a channel: it wants whole lines. */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include "config.h"
#include "qga.h"

extern const struct config host_config;
extern const struct qga_ops host_ops;

#endif
