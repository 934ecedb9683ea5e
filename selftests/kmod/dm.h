/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that can be told to fail or to hang. */
#ifndef DM_H
#define DM_H

#define DM_DIR "/dev/mapper/"

/* End the test if they fail. DM_DIR @name is all of @device. */
void dm_create(const char *name, const char *device);
void dm_hang(const char *name); /* I/O waits for dm_resume() */
void dm_resume(const char *name);
void dm_fail(const char *name); /* all I/O gives EIO from now on */

/* An exit status, all. */
int dm_load(const char *name, const char *device); /* for a later resume */
int dm_mend(const char *name, const char *device); /* undoes dm_fail() */
int dm_suspend(const char *name); /* which freezes the filesystem */

/* For ktap_setup() and ktap_teardown(): @dir is where it may be mounted. */
void dm_setup(void);
void dm_remove(const char *name, const char *dir);

#endif
