/* SPDX-License-Identifier: GPL-2.0 */
/* Filesystems on the VM's disks, and the proof that they are frozen. */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Disks of the VM, made by vm/disks.sh. */
enum disk {
	DISK_EXT4,
	DISK_EXT4_2,
	DISK_EXT4_3,
	DISK_EXT4_4,
	DISK_XFS,
	DISK_BTRFS,
	DISK_VFAT,
	DISK_JFS, /* not in every kernel, nor what follows */
	DISK_JFS_2,
	DISK_GFS2,
	DISK_EXFAT,
	DISK_UDF,
	DISK_EXT2,
	DISK_F2FS,
	DISK_NILFS2,
	DISK_SQUASHFS, /* read-only, as what follows */
	DISK_ISO9660,
	NR_DISKS,
};

/* Mounts and opens end the test when they fail. */
const char *disk_mount(enum disk disk); /* the mount point */
const char *disk_dir(enum disk disk); /* the same, mounted or not */
const char *disk_device(enum disk disk); /* /dev/vda ... */
const char *disk_fstype(enum disk disk);
const char *disk_unfit(enum disk disk); /* for this kernel: why, or NULL */
void disk_mount_device(const char *device, const char *fstype,
		       const char *options, const char *dir);
int disk_open(const char *dir); /* O_PATH */
/* FIFREEZE or FITHAW, as anybody may. 0 or -errno. */
int disk_ioctl(const char *dir, unsigned long request);
/* umount, -l if @lazy */
void disk_umount(const char *dir, bool lazy);

/* A loop device over a part of @image, @size 0 for all of it. It goes when its
 * last user closes it: close the descriptor returned once it is mounted. */
#define LOOP_NAME_SIZE 16
int disk_loop(const char *image, size_t offset, size_t size,
	      char device[LOOP_NAME_SIZE]);

/* For ktap_teardown(): the next test finds the disks unused. */
void disk_umount_all(void);

/* A child that writes one byte into a file of @dir. */
struct writer {
	pid_t pid;
	int done; /* readable when it has written */
};
struct writer writer_start(const char *dir);
bool writer_blocks(const struct writer *writer); /* sleeps in the kernel */
bool writer_ends(const struct writer *writer, int timeout_ms);
bool writer_fails(const struct writer *writer, int timeout_ms);

bool disk_writable(const char *dir); /* a write ends at once */
bool disk_readable(const char *dir); /* a read ends at once */
void disk_dirty(const char *dir, const char *name, size_t size);

/* In state D, with that in its kernel stack. */
bool process_sleeps_in(pid_t pid, const char *function);

/* Of a file of the kernel's that is there. What is written: 0 or -errno. */
void file_read(const char *path, char *line, int size);
int file_write(const char *path, const char *text);

/* The kernel's log from now on: does it say so, as far as it has got? */
int log_open(void);
bool log_says(int log, const char *words);

/* Run a program of the VM; its exit status. */
int run(const char *const argv[]);
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

long long clock_ms(void);

#endif
