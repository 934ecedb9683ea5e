// SPDX-License-Identifier: GPL-2.0
/* What is left after a drop, as /proc tells it, and what it refuses. */
/* link: privdrop privdrop_seccomp log ipc query */
/* libs: libcap-ng libseccomp libsystemd */
#include "ktap.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "log.h"
#include "privdrop.h"
#include "privdrop_seccomp.h"
#include "sandbox.h"

static char status[8192];

/* Our own user database: the user need not exist on this machine. */
static void setup(const char *passwd)
{
	SANDBOX_ENTER("");
	sandbox_write_file("/etc/passwd", passwd, 0644);
	CHECK_EQ(log_init("test", "/dev/null", false), 0);
}

#define USERS                         \
	"root:x:0:0::/root:/bin/sh\n" \
	"kfreezed:x:61234:61235::/nonexistent:/usr/sbin/nologin\n"

/* Opened before the drop: the filter forbids nothing of what follows. */
static int status_fd;

static void open_status(void)
{
	status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	CHECK(status_fd >= 0);
}

static void check_status(const char *line)
{
	ssize_t len;

	CHECK_EQ(lseek(status_fd, 0, SEEK_SET), 0);
	len = read(status_fd, status, sizeof(status) - 1);
	CHECK(len > 0);
	status[len] = '\0';
	if (strstr(status, line))
		return;
	KTAP_SAY("/proc/self/status lacks: %s", line + 1);
	exit(EXIT_FAILURE);
}

static int drop_agent(void)
{
	int err = privdrop_agent_start();

	return err ? err : privdrop_agent();
}

TEST(agent_keeps_nothing)
{
	setup(USERS);
	open_status();
	CHECK_EQ(drop_agent(), 0);
	check_status("\nUid:\t61234\t61234\t61234\t61234\n");
	check_status("\nGid:\t61235\t61235\t61235\t61235\n");
	check_status("\nGroups:\t61235 \n");
	check_status("\nCapInh:\t0000000000000000\n");
	check_status("\nCapPrm:\t0000000000000000\n");
	check_status("\nCapEff:\t0000000000000000\n");
	check_status("\nCapBnd:\t0000000000000000\n");
	check_status("\nCapAmb:\t0000000000000000\n");
	check_status("\nNoNewPrivs:\t1\n");
	check_status("\nSeccomp:\t2\n");
}

TEST(agent_needs_its_user)
{
	setup("root:x:0:0::/root:/bin/sh\n");
	CHECK_EQ(privdrop_agent_start(), -ENOENT);
	CHECK_EQ(geteuid(), 0);
}

TEST(agent_refuses_a_privileged_user)
{
	setup("root:x:0:0::/root:/bin/sh\nkfreezed:x:0:0::/:/bin/sh\n");
	CHECK_EQ(privdrop_agent_start(), -ENOENT);
}

TEST(agent_refuses_a_privileged_group)
{
	setup("root:x:0:0::/root:/bin/sh\nkfreezed:x:61234:0::/:/bin/sh\n");
	CHECK_EQ(privdrop_agent_start(), -ENOENT);
}

/* As systemd starts it, but for a bounding set that it left. */
TEST(agent_refuses_what_it_cannot_drop)
{
	setup(USERS);
	CHECK_EQ(setresgid(61235, 61235, 61235), 0);
	CHECK_EQ(setresuid(61234, 61234, 61234), 0);
	CHECK_EQ(drop_agent(), -EPERM);
}

static void open_for_writing(void)
{
	open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static void create(void)
{
	open("/tmp/privdrop_test", O_CREAT | O_WRONLY, 0600);
}

static void run(void)
{
	execl("/bin/true", "true", NULL);
}

static void spawn(void)
{
	fork();
}

static void connect_to_network(void)
{
	socket(AF_INET, SOCK_STREAM, 0);
}

static void map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	     0);
}

static void trace(void)
{
	syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void become_root(void)
{
	syscall(SYS_setuid, 0);
}

static void open_for_reading(void)
{
	open("/", O_RDONLY | O_CLOEXEC);
}

static void trim(void)
{
	ioctl(0, FITRIM, NULL);
}

static void map_memory(void)
{
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* The filter kills: no error that an intruder could look at. */
static void check_dies_of(int (*drop)(void), void (*call)(void))
{
	int marker[2], child_status;
	pid_t child;
	char byte;

	CHECK_EQ(pipe2(marker, O_NONBLOCK | O_CLOEXEC), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK_EQ(drop(), 0);
		CHECK_EQ(write(marker[1], "", 1), 1);
		call();
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &child_status, 0), child);
	CHECK(WIFSIGNALED(child_status));
	CHECK_EQ(WTERMSIG(child_status), SIGSYS);
	/* by the call, not by the drop */
	CHECK_EQ(read(marker[0], &byte, 1), 1);
}

static void poll_more(void)
{
	epoll_create1(EPOLL_CLOEXEC);
}

static void listen_to_more(void)
{
	listen(0, 1);
}

static void unlink_file(void)
{
	unlink("/tmp/privdrop_test");
}

static void connect_to_hypervisor(void)
{
	socket(AF_VSOCK, SOCK_STREAM, 0);
}

static void fake_input(void)
{
	ioctl(0, TIOCSTI, "x");
}

static void filter_again(void)
{
	syscall(SYS_seccomp, 0, 0, NULL);
}

static void ask_for_capabilities(void)
{
	syscall(SYS_capset, NULL, NULL);
}

/* While it starts it may do some of what it will not while it serves. */
TEST(agent_dies_of_what_it_may_not)
{
	static const struct {
		void (*call)(void);
		bool at_start;
	} calls[] = {
		{run, false},
		{spawn, false},
		{connect_to_network, false},
		{map_code, false},
		{trace, false},
		{open_for_writing, false},
		{create, false},
		{fake_input, false},
		{become_root, true},
		{poll_more, true},
		{listen_to_more, true},
		{unlink_file, true},
		{connect_to_hypervisor, true},
		{filter_again, true},
		{ask_for_capabilities, true},
	};
	size_t i;

	setup(USERS);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!calls[i].at_start)
			check_dies_of(privdrop_agent_start, calls[i].call);
		check_dies_of(drop_agent, calls[i].call);
	}
}

static int drop_freezer(void)
{
	int err = privdrop_freezer();

	return err ? err : privdrop_filter_freezer();
}

TEST(freezer_dies_of_what_it_may_not)
{
	static void (*const calls[])(void) = {
		open_for_reading,
		create,
		run,
		spawn,
		connect_to_network,
		map_memory,
		trace,
		become_root,
		trim,
	};
	size_t i;

	setup(USERS);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		check_dies_of(drop_freezer, calls[i]);
}

TEST(freezer_keeps_what_freezes)
{
	setup(USERS);
	open_status();
	CHECK_EQ(privdrop_freezer(), 0);
	check_status("\nCapPrm:\t0000000000200004\n");
	check_status("\nCapEff:\t0000000000200004\n");
	check_status("\nCapInh:\t0000000000000000\n");
	check_status("\nCapAmb:\t0000000000000000\n");
	check_status("\nNoNewPrivs:\t1\n");
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
}

TEST(agent_may_read_its_port_again)
{
	int fd;

	setup(USERS);
	CHECK_EQ(drop_agent(), 0);
	fd = open("/dev/null", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	CHECK(fd >= 0);
}

TEST(monitor_keeps_what_freezes)
{
	struct rlimit core;

	setup(USERS);
	open_status();
	CHECK_EQ(privdrop_monitor(), 0);
	/* CAP_SYS_TIME 25, CAP_SYS_ADMIN 21, CAP_SYS_PTRACE 19,
	 * CAP_IPC_LOCK 14, CAP_KILL 5, CAP_DAC_READ_SEARCH 2 */
	check_status("\nCapPrm:\t0000000002284024\n");
	check_status("\nCapEff:\t0000000002284024\n");
	check_status("\nCapInh:\t0000000000000000\n");
	check_status("\nCapAmb:\t0000000000000000\n");
	CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
	CHECK_EQ(getrlimit(RLIMIT_CORE, &core), 0);
	CHECK_EQ(core.rlim_max, 0);
}

TEST(owner_of_a_session_keeps_no_right_to_freeze)
{
	setup(USERS);
	open_status();
	CHECK_EQ(privdrop_monitor(), 0);
	CHECK_EQ(privdrop_owner(), 0);
	check_status("\nCapPrm:\t0000000002084024\n");
	check_status("\nCapEff:\t0000000002084024\n");
	check_status("\nCapInh:\t0000000000000000\n");
	check_status("\nCapAmb:\t0000000000000000\n");
}

/* Hooks are started by it and must be all that root can be. */
TEST(monitors_children_are_root)
{
	int child_status;
	pid_t child;

	setup(USERS);
	CHECK_EQ(privdrop_monitor(), 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		execl("/bin/sh", "sh", "-c",
		      "test $(sed -n 's/CapEff:.//p' /proc/self/status) = "
		      "$(sed -n 's/CapBnd:.//p' /proc/self/status)",
		      NULL);
		_exit(127);
	}
	CHECK_EQ(waitpid(child, &child_status, 0), child);
	CHECK(WIFEXITED(child_status));
	CHECK_EQ(WEXITSTATUS(child_status), 0);
}
