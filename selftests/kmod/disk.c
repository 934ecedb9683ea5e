// SPDX-License-Identifier: GPL-2.0
/* Filesystems on the VM's disks, and the proof that they are frozen. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* for what happens at once on an idle machine */

static const struct {
	const char *device, *fstype, *dir;
} disks[NR_DISKS] = {
	[DISK_EXT4] = {"/dev/vda", "ext4", "/tmp/ext4"},
	[DISK_EXT4_2] = {"/dev/vdb", "ext4", "/tmp/ext4_2"},
	[DISK_EXT4_3] = {"/dev/vdc", "ext4", "/tmp/ext4_3"},
	[DISK_EXT4_4] = {"/dev/vdd", "ext4", "/tmp/ext4_4"},
	[DISK_XFS] = {"/dev/vde", "xfs", "/tmp/xfs"},
	[DISK_BTRFS] = {"/dev/vdf", "btrfs", "/tmp/btrfs"},
	[DISK_VFAT] = {"/dev/vdg", "vfat", "/tmp/vfat"},
	[DISK_JFS] = {"/dev/vdh", "jfs", "/tmp/jfs"},
	[DISK_JFS_2] = {"/dev/vdi", "jfs", "/tmp/jfs_2"},
	[DISK_GFS2] = {"/dev/vdj", "gfs2", "/tmp/gfs2"},
	[DISK_EXFAT] = {"/dev/vdk", "exfat", "/tmp/exfat"},
	[DISK_UDF] = {"/dev/vdl", "udf", "/tmp/udf"},
	[DISK_EXT2] = {"/dev/vdm", "ext2", "/tmp/ext2"},
	[DISK_F2FS] = {"/dev/vdn", "f2fs", "/tmp/f2fs"},
	[DISK_NILFS2] = {"/dev/vdo", "nilfs2", "/tmp/nilfs2"},
	[DISK_SQUASHFS] = {"/dev/vdp", "squashfs", "/tmp/squashfs"},
	[DISK_ISO9660] = {"/dev/vdq", "iso9660", "/tmp/iso9660"},
};

static _Noreturn void die(const char *what, const char *name)
{
	printf("# %s: cannot %s: %s\n", name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

long long clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

const char *disk_dir(enum disk disk)
{
	return disks[disk].dir;
}

const char *disk_device(enum disk disk)
{
	return disks[disk].device;
}

const char *disk_fstype(enum disk disk)
{
	return disks[disk].fstype;
}

const char *disk_unfit(enum disk disk)
{
	struct utsname kernel;
	char command[96];

	snprintf(command, sizeof(command),
		 "modprobe -q %s; grep -qw %s /proc/filesystems",
		 disks[disk].fstype, disks[disk].fstype);
	if (RUN("sh", "-c", command))
		return "this kernel does not have the filesystem";
	uname(&kernel);
	/* it lets writers go on before it notes that it is thawed */
	if (disk == DISK_GFS2 && !strncmp(kernel.release, "6.1.", 4))
		return "GFS2 of linux 6.1 withdraws when a thawed writer is quick";
	return NULL;
}

static void mount_device(const char *device, const char *fstype,
			 unsigned long flags, const char *options,
			 const char *dir)
{
	mkdir(dir, 0755);
	if (mount(device, dir, fstype, flags, options))
		die("mount", device);
}

void disk_mount_device(const char *device, const char *fstype,
		       const char *options, const char *dir)
{
	char path[128];
	int fd;

	mount_device(device, fstype, 0, options, dir);
	snprintf(path, sizeof(path), "%s/readme", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd))
		die("write", path);
	close(fd);
}

const char *disk_mount(enum disk disk)
{
	const char *device = disks[disk].device;
	const char *fstype = disks[disk].fstype;
	const char *dir = disks[disk].dir;

	if (disk < DISK_SQUASHFS)
		disk_mount_device(device, fstype, "", dir);
	else
		mount_device(device, fstype, MS_RDONLY, "", dir);
	return dir;
}

int disk_open(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die("open", dir);
	return fd;
}

int disk_ioctl(const char *dir, unsigned long request)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	int err = ioctl(fd, request, 0) ? -errno : 0;

	close(fd);
	return err;
}

int disk_loop(const char *image, size_t offset, size_t size,
	      char device[LOOP_NAME_SIZE])
{
	struct loop_config config = {
		.info =
			{
				.lo_flags = LO_FLAGS_AUTOCLEAR,
				.lo_offset = offset,
				.lo_sizelimit = size,
			},
	};
	int control, nr, fd;

	if (access("/dev/loop-control", F_OK))
		RUN("modprobe", "loop");
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	config.fd = open(image, O_RDWR | O_CLOEXEC);
	if (control < 0 || (int)config.fd < 0)
		die("open", image);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(device, LOOP_NAME_SIZE, "/dev/loop%d", nr);
	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LOOP_CONFIGURE, &config))
		die("set up", device);
	close(config.fd);
	close(control);
	return fd;
}

void disk_umount_all(void)
{
	int i;

	for (i = 0; i < NR_DISKS; i++)
		while (umount2(disks[i].dir, 0) == 0)
			;
}

void disk_umount(const char *dir, bool lazy)
{
	if (umount2(dir, lazy ? MNT_DETACH : 0))
		die("umount", dir);
}

/* It may block for good: it must not keep a session's socket open. */
static _Noreturn void write_byte(const char *dir, int done)
{
	char path[128];
	int fd;

	dup2(done, STDERR_FILENO + 1);
	done = STDERR_FILENO + 1;
	close_range(done + 1, ~0U, 0);
	snprintf(path, sizeof(path), "%s/writer", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 || write(done, "x", 1) != 1)
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

struct writer writer_start(const char *dir)
{
	struct writer writer;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die("pipe", dir);
	writer.pid = fork();
	if (writer.pid < 0)
		die("fork", dir);
	if (writer.pid == 0)
		write_byte(dir, ends[1]);
	close(ends[1]);
	writer.done = ends[0];
	return writer;
}

/* The bytes read, 0 at the end, or -1 after @timeout_ms. */
static int read_done(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&p, 1, timeout_ms) == 1 ? read(fd, &byte, 1) : -1;
}

/* A file of /proc/PID as text. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("open", path);
	got = read(fd, text, size - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
}

/* The state letter of /proc/PID/stat. */
static char process_state(pid_t pid)
{
	char text[256], *end;

	read_proc(pid, "stat", text, sizeof(text));
	end = strrchr(text, ')');
	return end ? end[2] : '?';
}

bool process_sleeps_in(pid_t pid, const char *function)
{
	char text[1024];

	if (process_state(pid) != 'D')
		return false;
	read_proc(pid, "stack", text, sizeof(text));
	return strstr(text, function);
}

/* In a filesystem's write lock: neither I/O nor a busy CPU looks like that. */
static bool waits_for_thaw(pid_t pid)
{
	return process_sleeps_in(pid, "percpu_");
}

bool writer_blocks(const struct writer *writer)
{
	long long until = clock_ms() + PATIENCE_MS;

	while (clock_ms() < until) {
		if (read_done(writer->done, 5) >= 0)
			return false;
		if (waits_for_thaw(writer->pid))
			return true;
	}
	return false;
}

bool writer_ends(const struct writer *writer, int timeout_ms)
{
	bool written = read_done(writer->done, timeout_ms) == 1;

	if (written)
		waitpid(writer->pid, NULL, 0);
	return written;
}

bool writer_fails(const struct writer *writer, int timeout_ms)
{
	bool failed = read_done(writer->done, timeout_ms) == 0;

	if (failed)
		waitpid(writer->pid, NULL, 0);
	return failed;
}

bool disk_writable(const char *dir)
{
	struct writer writer = writer_start(dir);

	return writer_ends(&writer, PATIENCE_MS);
}

static _Noreturn void read_byte(const char *dir)
{
	char path[128], byte;
	int fd;

	snprintf(path, sizeof(path), "%s/readme", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	_exit(fd >= 0 && read(fd, &byte, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

bool disk_readable(const char *dir)
{
	long long until = clock_ms() + PATIENCE_MS;
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		die("fork", dir);
	if (pid == 0)
		read_byte(dir);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() > until)
			return false;
		poll(NULL, 0, 5);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void disk_dirty(const char *dir, const char *name, size_t size)
{
	static const char block[65536];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	for (; size >= sizeof(block); size -= sizeof(block))
		if (write(fd, block, sizeof(block)) != sizeof(block))
			die("write", path);
	close(fd);
}

void file_read(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(line, size, f))
		die("read", path);
	fclose(f);
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0 || lseek(log, 0, SEEK_END))
		die("open", "/dev/kmsg");
	return log;
}

bool log_says(int log, const char *words)
{
	char record[1024];
	ssize_t len;

	while ((len = read(log, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		if (strstr(record, words))
			return true;
	}
	return false;
}

int run(const char *const argv[])
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		die("fork", argv[0]);
	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		die("exec", argv[0]);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
