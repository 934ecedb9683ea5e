/* SPDX-License-Identifier: GPL-2.0 */
/* A string as it stands in JSON to the text it means. */
#ifndef KFREEZE_QGA_STRING_H
#define KFREEZE_QGA_STRING_H

#include <stddef.h>

/* @quoted: with its quotes. *@text is to be freed by the caller. NULL, or
 * what is wrong; it stays valid until the next call. */
const char *qga_string_decode(const char *quoted, size_t len, char **text);

#endif
