// SPDX-License-Identifier: GPL-2.0
/* Undo what a test program left behind. */
#ifndef RESET_H
#define RESET_H

int reset_machine(const char *prefix);

#endif
