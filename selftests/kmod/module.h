/* SPDX-License-Identifier: GPL-2.0 */
/* The module itself, as something that comes and goes. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>

/* Unload it. False if something holds it although all owners are gone. */
bool module_unload(void);

#endif
