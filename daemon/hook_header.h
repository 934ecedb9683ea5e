/* SPDX-License-Identifier: GPL-2.0 */
/* What a script asks for: "# kfreeze: timeout=120 policy=abort parallel". */
#ifndef KFREEZE_HOOK_HEADER_H
#define KFREEZE_HOOK_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#define HOOK_HEADER_ERROR_MAX 128

enum hook_policy {
	HOOK_POLICY_DEFAULT, /* that of the settings */
	HOOK_POLICY_CONTINUE,
	HOOK_POLICY_ABORT,
};

struct hook_header {
	uint32_t timeout_ms; /* 0: the settings' */
	enum hook_policy policy;
	bool parallel; /* with others that are */
};

/* From the comments that a script begins with; what is no script asks for
 * nothing. 0, or -errno and a text. */
int hook_header_read(const char *path, struct hook_header *header,
		     char error[HOOK_HEADER_ERROR_MAX]);

#endif
