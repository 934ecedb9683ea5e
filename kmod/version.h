/* SPDX-License-Identifier: GPL-2.0 */
/* The module's version; `make lint` compares it with dkms.conf. */
#ifndef KFREEZE_VERSION_H
#define KFREEZE_VERSION_H

#define KFREEZE_VERSION "0.1.0"

#endif
