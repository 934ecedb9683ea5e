// SPDX-License-Identifier: GPL-2.0
/*
 * The janitor is a process that outlives the test: when the test is gone it
 * thaws whatever is frozen in the sandbox, which then goes with it.
 */
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* for what happens at once on an idle machine */
#define IMAGE_SIZE (24 << 20)
#define JANITOR_LIMIT_MS 300000
#define JANITOR_ROUNDS 20
#define JANITOR_ROUND_MS 100

static _Noreturn void die(const char *what, const char *name)
{
	printf("# %s: cannot %s: %s\n", name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

long long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int freeze_ioctl(const char *dir, unsigned long request)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = ioctl(fd, request, 0) ? -errno : 0;
	close(fd);
	return err;
}

int sandbox_fifreeze(const char *dir)
{
	return freeze_ioctl(dir, FIFREEZE);
}

int sandbox_fithaw(const char *dir)
{
	return freeze_ioctl(dir, FITHAW);
}

void sandbox_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd))
		die("sync", dir);
	close(fd);
}

int sandbox_umount_lazily(const char *dir)
{
	return umount2(dir, MNT_DETACH) ? -errno : 0;
}

void sandbox_move(const char *dir, const char *name)
{
	const char *path = sandbox_path(name);

	if (mkdir(path, 0755) || mount(dir, path, NULL, MS_MOVE, NULL))
		die("move", dir);
}

const char *sandbox_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", SANDBOX, name);
	return path;
}

/* Only what is mounted in the sandbox, never the tmpfs around it or beyond. In
 * children: one that lies on another one thaws only after that. */
static void thaw_all(void)
{
	DIR *dir = opendir(SANDBOX);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fork())
			continue;
		sandbox_fithaw(sandbox_path(entry->d_name));
		_exit(0);
	}
	if (dir)
		closedir(dir);
}

/* What the test has started is being killed just now, and may still freeze: so
 * in rounds. */
static _Noreturn void janitor(pid_t test)
{
	struct pollfd fd = {.events = POLLIN};
	int i;

	setsid();
	signal(SIGCHLD, SIG_IGN);
	fd.fd = syscall(SYS_pidfd_open, test, 0);
	close_range(0, STDERR_FILENO, 0); /* the runner reads to the end */
	if (fd.fd >= 0)
		poll(&fd, 1, JANITOR_LIMIT_MS);
	for (i = 0; i < JANITOR_ROUNDS; i++) {
		thaw_all();
		poll(NULL, 0, JANITOR_ROUND_MS);
	}
	_exit(0);
}

static void start_janitor(void)
{
	pid_t test = getpid(), pid = fork();

	if (pid < 0)
		die("fork", "janitor");
	if (!pid)
		janitor(test);
}

void sandbox_write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode))
		die("write", path);
	close(fd);
}

const char *sandbox_read_file(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	text[0] = '\0';
	if (fd < 0)
		return text;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die("mkdir", path);
}

/* A tmpfs in place of a directory of the system. */
static void replace_dir(const char *path)
{
	make_dir(path);
	if (mount("tmpfs", path, "tmpfs", 0, "mode=755"))
		die("mount a tmpfs on", path);
}

static void replace_etc(const char *conf)
{
	char *passwd = strdup(sandbox_read_file("/etc/passwd"));
	char *group = strdup(sandbox_read_file("/etc/group"));
	char text[1024];

	replace_dir("/etc");
	sandbox_write_file("/etc/passwd", passwd, 0644);
	sandbox_write_file("/etc/group", group, 0644);
	free(passwd);
	free(group);
	make_dir("/etc/kfreeze");
	make_dir("/etc/kfreeze/hooks.d");
	/* other mount namespaces are of other tests, or of this machine */
	snprintf(text, sizeof(text), "[targets]\nexclude = /, /proc/*\n%s", conf);
	sandbox_write_file(SANDBOX_CONF, text, 0644);
}

void sandbox_enter(const char *conf)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("unshare", "mounts");
	replace_dir(SANDBOX);
	make_dir("/var/log");
	replace_dir("/var/log");
	replace_dir("/run");
	replace_etc(conf);
	start_janitor();
}

static void make_image(const char *image)
{
	int fd = open(image, O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	int status;
	pid_t pid;

	if (fd < 0 || ftruncate(fd, IMAGE_SIZE))
		die("create", image);
	close(fd);
	pid = fork();
	if (!pid) {
		execlp("mke2fs", "mke2fs", "-q", "-F", "-t", "ext4", image, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("mke2fs", image);
}

/* Others use loop devices too: the free one may be taken meanwhile. */
static int set_up_loop(const char *image, char *device, size_t size)
{
	struct loop_info64 info = {.lo_flags = LO_FLAGS_AUTOCLEAR};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int backing = open(image, O_RDWR | O_CLOEXEC);
	int fd;

	if (control < 0 || backing < 0)
		die("open", control < 0 ? "/dev/loop-control" : image);
	for (;;) {
		snprintf(device, size, "/dev/loop%d",
			 ioctl(control, LOOP_CTL_GET_FREE));
		fd = open(device, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !ioctl(fd, LOOP_SET_FD, backing))
			break;
		if (errno != EBUSY)
			die("set up", device);
		close(fd);
	}
	if (ioctl(fd, LOOP_SET_STATUS64, &info))
		die("set up", device);
	close(backing);
	close(control);
	return fd;
}

const char *sandbox_mount(const char *name, const char *image_dir)
{
	char image[256], device[32], *path = strdup(sandbox_path(name));
	int fd;

	snprintf(image, sizeof(image), "%s/%s.img",
		 image_dir ? image_dir : SANDBOX, name);
	make_image(image);
	fd = set_up_loop(image, device, sizeof(device));
	make_dir(path);
	if (mount(device, path, "ext4", 0, NULL))
		die("mount", path);
	close(fd);
	return path;
}

/* It may block for good: it must keep nothing of the test open. */
static _Noreturn void create_file(const char *dir, int done)
{
	char path[256];
	int fd;

	dup2(done, STDERR_FILENO + 1);
	close_range(STDERR_FILENO + 2, ~0U, 0);
	snprintf(path, sizeof(path), "%s/writer-%d", dir, getpid());
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 ||
	    write(STDERR_FILENO + 1, "x", 1) != 1)
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
	if (!writer.pid)
		create_file(dir, ends[1]);
	close(ends[1]);
	writer.done = ends[0];
	return writer;
}

bool writer_ends(const struct writer *writer, int timeout_ms)
{
	struct pollfd fd = {.fd = writer->done, .events = POLLIN};
	char byte;

	return poll(&fd, 1, timeout_ms) == 1 && read(writer->done, &byte, 1) == 1;
}

/* Asleep in the lock of a frozen filesystem: neither I/O nor a busy CPU looks
 * like that. wchan would say it, too, but not on 5.10. */
static bool waits_for_thaw(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return strstr(sandbox_read_file(path), "percpu_rwsem_wait");
}

bool writer_blocks(const struct writer *writer)
{
	long long end = clock_ms() + PATIENCE_MS;

	while (clock_ms() < end) {
		if (waits_for_thaw(writer->pid))
			return true;
		if (writer_ends(writer, 10))
			return false;
	}
	return false;
}

bool sandbox_is_frozen(const char *dir)
{
	struct writer writer = writer_start(dir);

	return writer_blocks(&writer);
}

bool sandbox_wait_frozen(const char *dir, int timeout_ms)
{
	long long end = clock_ms() + timeout_ms;

	while (clock_ms() < end) {
		if (sandbox_is_frozen(dir))
			return true;
	}
	return false;
}

bool sandbox_is_writable(const char *dir, int timeout_ms)
{
	struct writer writer = writer_start(dir);

	return writer_ends(&writer, timeout_ms);
}
