/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A private mount namespace with loop-mounted filesystems of its own, an /etc,
 * /run and /var/log of its own, and a janitor that thaws and ends what a test
 * leaves behind. Works on the host as in a VM, as root.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#define SANDBOX "/tmp/kfreeze-test" /* a tmpfs */
#define SANDBOX_CONF "/etc/kfreeze/kfreezed.conf"

/* First of all. The root filesystem is excluded in SANDBOX_CONF, to which @conf
 * is appended. Needs root; any other failure, here and below, ends the test. */
#define SANDBOX_ENTER(conf)                                       \
	do {                                                      \
		if (geteuid())                                    \
			SKIP("needs root");                       \
		if (access("/dev/loop-control", F_OK))            \
			SKIP("this machine has no loop devices"); \
		sandbox_enter(conf);                              \
	} while (0)
void sandbox_enter(const char *conf);

/* An ext4 on a loop device, its image in @image_dir (NULL: in the tmpfs),
 * mounted at SANDBOX/@name. Returns the mount point. */
const char *sandbox_mount(const char *name, const char *image_dir);
const char *sandbox_path(const char *name);

void sandbox_write_file(const char *path, const char *text, mode_t mode);

/* The text of a file, "" if there is none; valid until the next call. */
const char *sandbox_read_file(const char *path);

/* A child that creates a file in @dir. */
struct writer {
	pid_t pid;
	int done; /* readable when it has */
};
struct writer writer_start(const char *dir);
bool writer_blocks(const struct writer *writer); /* waits for a thaw */
bool writer_ends(const struct writer *writer, int timeout_ms);

bool sandbox_is_frozen(const char *dir); /* a write blocks until the thaw */
bool sandbox_wait_frozen(const char *dir, int timeout_ms);
bool sandbox_is_writable(const char *dir, int timeout_ms);

/* As somebody else would; 0 or -errno. */
int sandbox_fifreeze(const char *dir);
int sandbox_fithaw(const char *dir);

void sandbox_sync(const char *dir);
int sandbox_umount_lazily(const char *dir);
void sandbox_move(const char *dir, const char *name); /* to SANDBOX/@name */

long long clock_ms(void);

#endif
