// SPDX-License-Identifier: GPL-2.0
/* What the kernel logged since the last look. */
#ifndef KLOG_H
#define KLOG_H

int klog_open(void);
void klog_skip(int fd);
int klog_scan(int fd, const char *prefix);
void klog_print_blocked_tasks(int fd, const char *prefix);

#endif
