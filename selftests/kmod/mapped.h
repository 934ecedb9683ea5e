/* SPDX-License-Identifier: GPL-2.0 */
/* A filesystem on a device that can be told to fail or to hang. */
#ifndef MAPPED_H
#define MAPPED_H

#define MAPPED "/tmp/mapped"

/* Mount ext4 with @options at MAPPED, clean. Ends the test if it fails. */
void mapped_mount(const char *options);
void mapped_fail(void); /* all I/O gives EIO from now on */
void mapped_hang(void); /* I/O waits for mapped_resume() */
void mapped_resume(void);
/* `dmsetup suspend`, which freezes the filesystem; its exit status. */
int mapped_suspend(void);

/* For ktap_setup() and ktap_teardown(). */
void mapped_setup(void);
void mapped_teardown(void);

#endif
