/* SPDX-License-Identifier: GPL-2.0 */
/* Of the daemon; the same as the module's. */
#ifndef KFREEZE_DAEMON_VERSION_H
#define KFREEZE_DAEMON_VERSION_H

#define KFREEZED_VERSION "0.1.0"

#endif
