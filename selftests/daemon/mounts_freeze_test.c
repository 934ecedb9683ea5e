// SPDX-License-Identifier: GPL-2.0
/* Mounts that break others: they are frozen, or skipped with a reason. */
/* link: ipc query */
#include "ktap.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "client.h"
#include "hostile.h"
#include "sandbox.h"

/* In the report of the newest cycle. */
static bool is_skipped(struct client *client, const char *path, const char *reason)
{
	struct report_record record;
	size_t i;

	for (i = 0; client_record(client, REPORT_SKIP, i, &record); i++) {
		if (!strcmp(record.skip.path, path) &&
		    !strncmp(record.skip.reason, reason, strlen(reason)))
			return true;
	}
	return false;
}

/* Everything that is not excluded: @nr filesystems; then thaw. */
static void freeze_and_thaw(struct client *client, unsigned int nr)
{
	struct ipc_reply reply;

	reply = client_answer(client, client_send(client, IPC_FREEZE));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, nr);
	CHECK_EQ(client_answer(client, client_send(client, IPC_THAW)).err, 0);
}

TEST(hidden_and_hanging_mounts_are_skipped)
{
	const char *a, *hidden, *fuse = SANDBOX "/fuse";
	struct client client;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	hidden = sandbox_mount("hidden", NULL);
	CHECK_EQ(mount("tmpfs", hidden, "tmpfs", 0, NULL), 0);
	CHECK_EQ(mkdir(fuse, 0755), 0);
	hostile_fuse(fuse);
	client = client_start();
	freeze_and_thaw(&client, 1);
	CHECK(sandbox_is_writable(a, CLIENT_PATIENCE_MS));
	CHECK(is_skipped(&client, fuse, "fuse filesystem"));
	CHECK(is_skipped(&client, hidden, "hidden under another mount"));
}

TEST(overlay_is_frozen_with_its_upper_directory)
{
	const char *a, *merged = SANDBOX "/merged";
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	CHECK_EQ(mkdir(SANDBOX "/a/upper", 0755), 0);
	CHECK_EQ(mkdir(SANDBOX "/a/work", 0755), 0);
	CHECK_EQ(mkdir(SANDBOX "/a/lower", 0755), 0);
	CHECK_EQ(mkdir(merged, 0755), 0);
	CHECK_EQ(mount("overlay", merged, "overlay", 0,
		       "lowerdir=" SANDBOX "/a/lower,upperdir=" SANDBOX
		       "/a/upper,workdir=" SANDBOX "/a/work"),
		 0);
	client = client_start();
	reply = client_answer(&client, client_send(&client, IPC_FREEZE));
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 1);
	CHECK(sandbox_is_frozen(merged));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	CHECK(sandbox_is_writable(a, CLIENT_PATIENCE_MS));
	CHECK(is_skipped(&client, merged, "overlay"));
}

/* All other mount namespaces than the test's own are excluded, but for this. */
#define CONTAINER "container"
#define CONTAINER_CONF                              \
	"[targets]\nexclude = /, /proc/*/root/, "   \
	"/proc/*/root/[!t]*, /proc/*/root/t[!m]*, " \
	"/proc/*/root" SANDBOX "/[!c]*\n"

/* Inside it is still there to write to. */
TEST(container_is_frozen_too)
{
	char inside[128];
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("");
	sandbox_write_file(SANDBOX_CONF, CONTAINER_CONF, 0644);
	a = sandbox_mount(CONTAINER, NULL);
	snprintf(inside, sizeof(inside), "/proc/%d/root%s", hostile_container(),
		 a);
	CHECK_EQ(sandbox_umount_lazily(a), 0);
	client = client_start();
	reply = client_answer(&client, client_send(&client, IPC_FREEZE));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 1);
	CHECK(sandbox_is_frozen(inside));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	CHECK(sandbox_is_writable(inside, CLIENT_PATIENCE_MS));
}

/* The header of swap space, version 1, of @pages. */
static void make_swap(const char *path, unsigned int pages)
{
	unsigned int page = sysconf(_SC_PAGESIZE);
	unsigned int *header = calloc(pages, page);
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	CHECK(header && fd >= 0);
	header[256] = 1; /* after 1024 bytes of boot sector */
	header[257] = pages - 1;
	memcpy((char *)header + page - 10, "SWAPSPACE2", 10);
	CHECK_EQ(write(fd, header, pages * page), pages * page);
	CHECK_EQ(fsync(fd), 0);
	close(fd);
	free(header);
}

TEST(swap_file_on_a_target)
{
	const char *a, *swap = SANDBOX "/a/swap";
	struct client client;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	make_swap(swap, 64);
	CHECK_EQ(swapon(swap, 0), 0);
	client = client_start();
	freeze_and_thaw(&client, 1);
	CHECK(sandbox_is_writable(a, CLIENT_PATIENCE_MS));
	CHECK_EQ(swapoff(swap), 0);
}

TEST(only_a_socket_of_it_is_mounted)
{
	const char *bound = SANDBOX "/bound";
	struct report_record record;
	struct client client;
	struct ipc_reply reply;

	SANDBOX_ENTER("");
	sandbox_mount("a", NULL);
	CHECK_EQ(mknod(SANDBOX "/a/socket", S_IFSOCK | 0600, 0), 0);
	sandbox_write_file(bound, "", 0644);
	CHECK_EQ(mount(SANDBOX "/a/socket", bound, NULL, MS_BIND, NULL), 0);
	CHECK_EQ(sandbox_umount_lazily(SANDBOX "/a"), 0);
	client = client_start();
	reply = client_answer(&client, client_send(&client, IPC_FREEZE));
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).err, 0);
	/* FIFREEZE has no descriptor to work on */
	CHECK(client_record(&client, REPORT_TARGET, 0, &record));
	CHECK_EQ(record.target.err,
		 strcmp(client_backend(), "kmod") ? -EOPNOTSUPP : 0);
}
