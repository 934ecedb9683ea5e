/* SPDX-License-Identifier: GPL-2.0 */
/* Opens a socket that hosts connect to: AF_UNIX or AF_VSOCK. */
#ifndef KFREEZE_CHANNEL_LISTENER_H
#define KFREEZE_CHANNEL_LISTENER_H

#include "config.h"

/* @path: of the socket, or CID:PORT. A listening descriptor, or -errno. */
int channel_listener_open(enum config_method method, const char *path);

#endif
