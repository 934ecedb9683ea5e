/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail: needs a kernel with fault injection. */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <sys/types.h>

/* For ktap_setup() and ktap_teardown(). */
void fault_setup(void);
void fault_teardown(void);

/* The file in which it says which allocation of a thread is to fail; -1: there
 * is none. @tid: 0 is the calling one. */
int fault_open(pid_t tid);
/* @nth: 1 is the next one, 0 none. Of a thread that is gone none fails. */
void fault_set(int fd, int nth);
/* How many allocations are still to succeed before one fails; 0: it did; -1:
 * the thread is gone. */
int fault_left(int fd);

/* All allocations fail that are made, however deep, by the module's code. */
void fault_starve(bool on);

#endif
