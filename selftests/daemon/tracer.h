/* SPDX-License-Identifier: GPL-2.0 */
/* Records the system calls of a process and of all it forks. */
#ifndef TRACER_H
#define TRACER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRACER_FD_NAME 48

struct tracer_call {
	pid_t tid;
	uint64_t nr, args[4];
	char fd_name[TRACER_FD_NAME]; /* what args[0] is open on, or "" */
	/* of sendmsg(), if it is generic netlink: else of no meaning */
	uint16_t family;
	uint8_t command;
};

/* Trace @pid from here on; ends with the test. Failures end the test. */
void tracer_start(pid_t pid);

/* The calls begun so far, and one of them. */
size_t tracer_count(void);
const struct tracer_call *tracer_call(size_t index);

#endif
