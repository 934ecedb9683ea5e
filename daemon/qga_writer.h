/* SPDX-License-Identifier: GPL-2.0 */
/* JSON values to one line of ASCII, spaced as qemu-ga's. */
#ifndef KFREEZE_QGA_WRITER_H
#define KFREEZE_QGA_WRITER_H

struct json_object;
struct printbuf;

/* Appends to @out. 0 or -ENOMEM. */
int qga_write(struct printbuf *out, struct json_object *value);

#endif
