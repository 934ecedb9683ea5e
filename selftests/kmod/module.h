/* SPDX-License-Identifier: GPL-2.0 */
/* The module itself, as something that comes and goes. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>

int module_remove(void); /* 0 or -errno, at once */
bool module_unload(void); /* false if it stays in use */
void module_load(void); /* ends the test if it fails */

#endif
