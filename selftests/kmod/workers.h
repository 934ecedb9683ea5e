/* SPDX-License-Identifier: GPL-2.0 */
/* Who runs the module's works, and when. */
#ifndef WORKERS_H
#define WORKERS_H

#include <stdbool.h>
#include <sys/types.h>

/* Until workers_feed() the queue has its rescuer alone, and nothing forks.
 * 0 or -errno, both. */
int workers_starve(void);
int workers_feed(void);

/* Those that may run the module's works: at most @max; how many that are. */
int workers_find(pid_t pids[], int max);

bool workers_rescuer_is_stuck(void);
bool workers_rescuer_gets_stuck(void); /* within 10 s */

/* Does one wait to get on with freezing a filesystem? */
bool workers_wait_to_freeze(void);

/* Until workers_teardown() workers run before the watchdog, on its processor:
 * at once, if the kernel is preemptible. 0 or -errno. */
int workers_outrun_watchdog(void);

/* For ktap_setup() and ktap_teardown(). */
void workers_setup(void);
void workers_teardown(void);

#endif
