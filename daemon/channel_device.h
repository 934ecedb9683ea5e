/* SPDX-License-Identifier: GPL-2.0 */
/* Opens a port of the machine: virtio-serial or isa-serial. */
#ifndef KFREEZE_CHANNEL_DEVICE_H
#define KFREEZE_CHANNEL_DEVICE_H

#include "config.h"

/* A non-blocking descriptor, or -errno. */
int channel_device_open(enum config_method method, const char *path);

#endif
