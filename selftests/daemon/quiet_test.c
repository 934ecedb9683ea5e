// SPDX-License-Identifier: GPL-2.0
/* While something is frozen no process of the monitor touches a file. */
/* link: ipc query */
#include "ktap.h"

#include <linux/fs.h>
#include <linux/genetlink.h>
#include <linux/kfreeze.h>
#include <sys/syscall.h>

#include "client.h"
#include "sandbox.h"
#include "tracer.h"

/* Calls that need a filesystem to answer, or a new process. */
static const long forbidden[] = {
	SYS_openat,   SYS_openat2,	   SYS_execve,
	SYS_execveat, SYS_clone,	   SYS_clone3,
	SYS_mkdirat,  SYS_unlinkat,	   SYS_renameat2,
	SYS_linkat,   SYS_symlinkat,	   SYS_mknodat,
	SYS_truncate, SYS_ftruncate,	   SYS_fallocate,
	SYS_fsync,    SYS_fdatasync,	   SYS_sync,
	SYS_syncfs,   SYS_utimensat,	   SYS_fchmod,
	SYS_fchown,   SYS_copy_file_range, SYS_sendfile,
#ifdef SYS_open /* the architectures that still have the old calls */
	SYS_open,     SYS_creat,	   SYS_fork,
	SYS_vfork,    SYS_mkdir,	   SYS_unlink,
	SYS_rename,   SYS_rmdir,
#endif
};

static const long writes[] = {
	SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_pwritev2,
};

static bool is_in(long nr, const long *list, size_t len)
{
	while (len && list[len - 1] != nr)
		len--;
	return len;
}

#define IS_IN(nr, list) is_in(nr, list, sizeof(list) / sizeof(*(list)))

static bool is_file(const char *name)
{
	return *name == '/' && strcmp(name, "/sys/kernel/rcu_expedited");
}

/* A file mapping: memory has the flag, or no descriptor. */
static bool maps_file(const struct tracer_call *call)
{
	return call->nr == SYS_mmap && !(call->args[3] & MAP_ANONYMOUS);
}

static bool is_quiet(const struct tracer_call *call)
{
	if (!IS_IN((long)call->nr, forbidden) && !maps_file(call) &&
	    !(IS_IN((long)call->nr, writes) && is_file(call->fd_name)))
		return true;
	printf("# thread %d: system call %lld on \"%s\"\n", call->tid,
	       (long long)call->nr, call->fd_name);
	return false;
}

static bool is_ioctl(size_t index, unsigned long request)
{
	const struct tracer_call *call = tracer_call(index);

	return call->nr == SYS_ioctl && call->args[1] == request;
}

/* To the module, not to the controller of families. */
static bool is_request(size_t index, enum kfreeze_cmd cmd)
{
	const struct tracer_call *call = tracer_call(index);

	return call->nr == SYS_sendmsg && call->family > GENL_ID_CTRL &&
	       call->command == cmd;
}

/* From the first FIFREEZE to the last FITHAW. */
static void find_ioctls(size_t *from, size_t *to)
{
	size_t i, nr = 0;

	for (i = 0; i < tracer_count(); i++) {
		if (is_ioctl(i, FIFREEZE) && !nr++)
			*from = i;
		if (is_ioctl(i, FITHAW))
			*to = i;
	}
	CHECK_EQ(nr, 2);
}

/* From the request to freeze to the module's last word before it is asked for
 * the records: that all is thawed. */
static void find_requests(size_t *from, size_t *to)
{
	size_t i, nr_freezes = 0, nr_thaws = 0;

	for (i = 0; i < tracer_count(); i++) {
		if (is_request(i, KFREEZE_CMD_FREEZE) && !nr_freezes++)
			*from = i;
		nr_thaws += is_request(i, KFREEZE_CMD_THAW);
		if (nr_thaws && is_request(i, KFREEZE_CMD_STATUS))
			break;
		if (nr_thaws && tracer_call(i)->nr == SYS_recvmsg)
			*to = i;
	}
	CHECK_EQ(nr_freezes, 1);
	CHECK_EQ(nr_thaws, 1);
}

TEST(nothing_is_opened_written_or_executed_while_frozen)
{
	struct client client;
	size_t from = 0, to = 0, i;
	const char *a, *b;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	b = sandbox_mount("b", NULL);
	sandbox_write_file("/etc/kfreeze/hooks.d/hook", "#!/bin/sh\necho $1\n",
			   0755);
	client = client_start();
	tracer_start(client.monitor);
	CHECK_EQ(client_answer(&client, client_send_freeze(&client, a, b, NULL)).count,
		 2);
	/* what may come from a host meanwhile */
	client_answer(&client, client_send(&client, IPC_STATUS));
	client_answer(&client, client_send_freeze(&client, a, NULL));
	client_answer(&client, client_send(&client, IPC_REPORT));
	CHECK_EQ(client_answer(&client, client_send(&client, IPC_THAW)).count, 2);
	if (strcmp(client_backend(), "ioctl"))
		find_requests(&from, &to);
	else
		find_ioctls(&from, &to);
	CHECK(to > from);
	for (i = from; i < to; i++)
		CHECK(is_quiet(tracer_call(i)));
}

/* The same eyes see what is done before and after. */
TEST(the_tracer_sees_files_and_programs)
{
	struct client client;
	bool opened = false, executed = false;
	const char *a;
	size_t i;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	sandbox_write_file("/etc/kfreeze/hooks.d/hook", "#!/bin/sh\necho $1\n",
			   0755);
	client = client_start();
	tracer_start(client.monitor);
	client_answer(&client, client_send_freeze(&client, a, NULL));
	client_answer(&client, client_send(&client, IPC_THAW));
	for (i = 0; i < tracer_count(); i++) {
		opened |= tracer_call(i)->nr == SYS_openat;
		executed |= tracer_call(i)->nr == SYS_execve;
	}
	CHECK(opened && executed);
}
