// SPDX-License-Identifier: GPL-2.0
/* Settings: qemu-ga's command lines and files as found in the field, and ours. */
/* link: config settings ini log */
/* libs: libsystemd */
#include "ktap.h"

#include <fcntl.h>

#include "config.h"
#include "log.h"

#define MAX_ARGS 32

static char directory[] = "/tmp/config_test.XXXXXX";
static char qga_file[64], own_file[64], errors[64];
static struct config config;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
	CHECK_EQ(fclose(file), 0);
}

static void setup(const char *qga, const char *own)
{
	CHECK(mkdtemp(directory) != NULL);
	snprintf(qga_file, sizeof(qga_file), "%s/qga", directory);
	snprintf(own_file, sizeof(own_file), "%s/own", directory);
	snprintf(errors, sizeof(errors), "%s/errors", directory);
	setenv("QGA_CONF", qga_file, 1);
	setenv("KFREEZE_CONF", own_file, 1);
	if (qga)
		write_file(qga_file, qga);
	if (own)
		write_file(own_file, own);
}

static void teardown(void)
{
	config_free(&config);
	unlink(qga_file);
	unlink(own_file);
	unlink(errors);
	CHECK_EQ(rmdir(directory), 0);
}

/* @line: words, separated by single blanks */
static int load_with(int (*load)(struct config *, int, char **), const char *line)
{
	/* config_reload() reads them again */
	static char words[1024], *argv[MAX_ARGS + 1] = {words};
	int argc = 1;
	char *blank;

	snprintf(words, sizeof(words), "program %s", line);
	while ((blank = strchr(argv[argc - 1], ' ')) && argc < MAX_ARGS) {
		*blank = '\0';
		argv[argc++] = blank + 1;
	}
	argv[argc] = NULL;
	return load(&config, argc, argv);
}

static void load(const char *line)
{
	CHECK_EQ(load_with(config_load_agent, line), 0);
}

static void check_list(char **list, const char *expected)
{
	char joined[256] = "";
	size_t len = 0;

	for (; list && *list; list++)
		len += snprintf(joined + len, sizeof(joined) - len, "%s%s",
				len ? "," : "", *list);
	CHECK_STREQ(joined, expected);
}

static const char *read_errors(void)
{
	static char text[1024];
	int fd = open(errors, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	CHECK(len >= 0);
	text[len] = '\0';
	close(fd);
	return text;
}

static int nr_complaints(const char *text)
{
	const char *at = read_errors();
	int nr = 0;

	while ((at = strstr(at, text))) {
		at += strlen(text);
		nr++;
	}
	return nr;
}

/* What is logged when a load fails. */
static const char *complaint(int (*fn)(struct config *, int, char **),
			     const char *line)
{
	unlink(errors);
	CHECK_EQ(log_init("test", errors, false), 0);
	CHECK(load_with(fn, line) < 0);
	return read_errors();
}

/* As config_dump() prints it. */
static const char *dump(void)
{
	int fd, saved = dup(STDOUT_FILENO);

	unlink(errors);
	fd = open(errors, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	config_dump(&config);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(fd);
	close(saved);
	return read_errors();
}

TEST(defaults)
{
	setup(NULL, NULL);
	load("");
	CHECK_EQ(config.method, CONFIG_VIRTIO_SERIAL);
	CHECK_STREQ(config.path, "/dev/virtio-ports/org.qemu.guest_agent.0");
	CHECK_EQ(config.timeout_ms, 60000);
	CHECK_EQ(config.flush_timeout_ms, 60000);
	CHECK_EQ(config.lost_ttl_ms, 600000);
	CHECK_EQ(config.hook_timeout_ms, 30000);
	CHECK_EQ(config.hook_budget_ms, 60000);
	CHECK_EQ(config.hook_policy, CONFIG_HOOK_CONTINUE);
	CHECK_EQ(config.foreign_freeze, CONFIG_FOREIGN_FAIL);
	CHECK_EQ(config.backend, CONFIG_BACKEND_ANY);
	CHECK_EQ(config.agent_fd, -1);
	CHECK(!config.fsfreeze_hook && !config.block_rpcs && !config.exclude);
	teardown();
}

TEST(units_of_the_field)
{
	setup(NULL, NULL);
	load("-F/etc/qemu/fsfreeze-hook");
	CHECK_STREQ(config.fsfreeze_hook, "/etc/qemu/fsfreeze-hook");
	config_free(&config);
	load("--method=virtio-serial --path=/dev/virtio-ports/org.qemu.guest_agent.0 "
	     "--blacklist=guest-exec,guest-exec-status -F/etc/qemu-ga/fsfreeze-hook");
	CHECK_STREQ(config.fsfreeze_hook, "/etc/qemu-ga/fsfreeze-hook");
	check_list(config.block_rpcs, "guest-exec,guest-exec-status");
	config_free(&config);
	load("--block-rpcs= -F/dev/null");
	CHECK(!config.block_rpcs);
	CHECK_STREQ(config.fsfreeze_hook, "");
	config_free(&config);
	load("--allow-rpcs=guest-sync-delimited,guest-sync -F");
	check_list(config.allow_rpcs, "guest-sync-delimited,guest-sync");
	CHECK_STREQ(config.fsfreeze_hook, "/etc/qemu/fsfreeze-hook");
	teardown();
}

TEST(every_option)
{
	setup(NULL, NULL);
	load("-m isa-serial -l /l -f /p -t /s -v -d -r -D -b a,b -b c -a d -s x");
	CHECK_EQ(config.method, CONFIG_ISA_SERIAL);
	CHECK_STREQ(config.path, "/dev/ttyS0");
	CHECK_STREQ(config.logfile, "/l");
	CHECK_STREQ(config.pidfile, "/p");
	CHECK_STREQ(config.statedir, "/s");
	CHECK(config.verbose && config.daemonize && config.retry_path &&
	      config.dump);
	check_list(config.block_rpcs, "a,b,c");
	check_list(config.allow_rpcs, "d");
	teardown();
}

/* Line by line what qemu-ga prints, allow-rpcs apart, which 7.2 has not. */
TEST(dump)
{
	setup("[general]\nblock-rpcs=a;b,c\nverbose=1\n", NULL);
	load("-D -F/dev/null -l /l -b d -t /nope");
	CHECK_STREQ(dump(), "[general]\n"
			    "daemon=false\n"
			    "method=virtio-serial\n"
			    "path=/dev/virtio-ports/org.qemu.guest_agent.0\n"
			    "logfile=/l\n"
			    "pidfile=/var/run/qemu-ga.pid\n"
			    "fsfreeze-hook=/dev/null\n"
			    "statedir=/nope\n"
			    "verbose=true\n"
			    "retry-path=false\n"
			    "block-rpcs=a,b,c,d\n"
			    "allow-rpcs=\n");
	teardown();
}

TEST(qga_file_then_command_line)
{
	setup("# comment\n\n[general]\nmethod = unix-listen\npath=/run/a socket\n"
	      "verbose=1\nblock-rpcs = a, b,\nunknown=1\nfsfreeze-hook=/h\n",
	      NULL);
	load("-p /run/other -b c");
	CHECK_EQ(config.method, CONFIG_UNIX_LISTEN);
	CHECK_STREQ(config.path, "/run/other");
	CHECK(config.verbose);
	CHECK_STREQ(config.fsfreeze_hook, "/h");
	check_list(config.block_rpcs, "a,b,c");
	config_free(&config);
	load("");
	CHECK_STREQ(config.path, "/run/a socket");
	teardown();
}

TEST(own_file)
{
	setup(NULL,
	      "[general]\ntimeout = 7\nflush-timeout=600\nlost-timeout=1\n"
	      "strict=true\nbackend=kmod\nblock-rpcs=a\n[hooks]\nscript=/dev/null\n"
	      "timeout=5\nbudget=3600\npolicy=abort\n"
	      "[targets]\nforeign-freeze=accept\nexclude=/mnt/*,vfat\nexclude=/dev/vdz\n");
	CHECK_EQ(load_with(config_load_monitor, "--agent-fd=3"), 0);
	CHECK_EQ(config.timeout_ms, 7000);
	CHECK_EQ(config.flush_timeout_ms, 600000);
	CHECK_EQ(config.lost_ttl_ms, 1000);
	CHECK(config.strict);
	CHECK_STREQ(config.fsfreeze_hook, "");
	CHECK_EQ(config.hook_timeout_ms, 5000);
	CHECK_EQ(config.hook_budget_ms, 3600000);
	CHECK_EQ(config.hook_policy, CONFIG_HOOK_ABORT);
	CHECK_EQ(config.foreign_freeze, CONFIG_FOREIGN_ACCEPT);
	CHECK_EQ(config.backend, CONFIG_BACKEND_KMOD);
	CHECK_EQ(config.agent_fd, 3);
	check_list(config.exclude, "/mnt/*,vfat,/dev/vdz");
	teardown();
}

TEST(given_file_replaces_the_default)
{
	char line[128];

	setup("[general]\nverbose=true\n", NULL);
	snprintf(line, sizeof(line), "-v --config=%s", qga_file);
	unsetenv("QGA_CONF");
	load(line);
	CHECK_STREQ(config.file, qga_file);
	config_free(&config);
	unlink(qga_file);
	CHECK(strstr(complaint(config_load_agent, line),
		     "/qga: cannot open: No such file or directory"));
	teardown();
}

/* libinih would have made two lines of it. */
TEST(long_line)
{
	static char text[8192], item[] = "guest-network-get-interfaces,";
	size_t i, len;

	len = sprintf(text, "%s", "[general]\nallow-rpcs=");
	for (i = 0; i < 200; i++)
		len += sprintf(text + len, "%s", item);
	setup(text, NULL);
	load("");
	for (i = 0; config.allow_rpcs[i]; i++)
		CHECK_STREQ(config.allow_rpcs[i], "guest-network-get-interfaces");
	CHECK_EQ(i, 200);
	teardown();
}

TEST(what_is_refused)
{
	static const struct {
		const char *qga, *own, *line, *complaint;
	} rows[] = {
		{NULL, "[general]\ntimeout=0\n", "",
		 "/own:2: timeout: '0' is not accepted: expected 1 to 120 seconds\n"},
		{NULL, "[general]\ntimeout=121\n", "",
		 "expected 1 to 120 seconds"},
		{NULL, "[general]\ntimeout=-1\n", "", "expected 1 to 120 seconds"},
		{NULL, "[general]\ntimeout=1.5\n", "",
		 "expected 1 to 120 seconds"},
		{NULL, "[general]\ntimeout=\n", "", "expected 1 to 120 seconds"},
		{NULL, "[general]\ntimeout=99999999999999999999\n", "",
		 "expected 1 to 120 seconds"},
		{NULL, "[general]\n\n#\nlost-timeout=86401\n", "",
		 "/own:4: lost-timeout: '86401' is not accepted: expected 1 to 86400 seconds"},
		{NULL, "[general]\nstrict=maybe\n", "",
		 "strict: 'maybe' is not accepted: expected true or false"},
		{NULL, "[hooks]\npolicy=ignore\n", "",
		 "expected continue or abort"},
		{NULL, "[targets]\nforeign-freeze=yes\n", "",
		 "expected fail or accept"},
		{NULL, "[general]\nbackend=ioctl\n", "", "expected any or kmod"},
		{NULL, "[hooks]\ntimout=5\n", "",
		 "/own:2: unknown setting 'timout' in section [hooks]"},
		{NULL, "[hook]\ntimeout=5\n", "",
		 "unknown setting 'timeout' in section [hook]"},
		{NULL, "timeout=5\n", "", "/own:1: a [SECTION] must come first"},
		{NULL, "[general\n", "",
		 "/own:1: a section needs its closing ']'"},
		{NULL, "[general]\ntimeout 5\n", "",
		 "/own:2: expected KEY = VALUE or [SECTION]"},
		{"[general]\nverbose=maybe\n", NULL, "",
		 "/qga:2: verbose: 'maybe' is not accepted: expected true or false"},
		{"[general]\nmethod=pigeon\n", NULL, "",
		 "expected virtio-serial, isa-serial, unix-listen or vsock-listen"},
		{NULL, NULL, "-m pigeon",
		 "option -m: method: 'pigeon' is not accepted"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(strrchr(directory, '.'), ".XXXXXX");
		setup(rows[i].qga, rows[i].own);
		if (!strstr(complaint(config_load_agent, rows[i].line),
			    rows[i].complaint)) {
			KTAP_SAY("row %zu does not say: %s", i,
				 rows[i].complaint);
			exit(EXIT_FAILURE);
		}
		teardown();
	}
}

static bool is_known(const char *name)
{
	return !strcmp(name, "guest-ping");
}

/* As qemu-ga does; but who mistypes one should know. */
TEST(unknown_commands_are_taken_with_a_warning)
{
	char expected[256];
	int i;

	setup("[general]\nblock-rpcs = guest-ping, guest-pign\n",
	      "[general]\n\nallow-rpcs = guest-exce\n");
	CHECK_EQ(log_init("test", errors, false), 0);
	config_set_commands(is_known);
	load("-b guest-pong");
	check_list(config.block_rpcs, "guest-ping,guest-pign,guest-pong");
	check_list(config.allow_rpcs, "guest-exce");
	for (i = 1; i <= 2; i++) {
		snprintf(expected, sizeof(expected),
			 "%s:2: block-rpcs: there is no command 'guest-pign'\n",
			 qga_file);
		CHECK_EQ(nr_complaints(expected), i);
		snprintf(expected, sizeof(expected),
			 "%s:3: allow-rpcs: there is no command 'guest-exce'\n",
			 own_file);
		CHECK_EQ(nr_complaints(expected), i);
		CHECK_EQ(nr_complaints("option -b: block-rpcs: there is no "
				       "command 'guest-pong'\n"),
			 i);
		CHECK_EQ(nr_complaints("there is no command"), 3 * i);
		if (i == 1)
			CHECK_EQ(config_reload(&config), 0);
	}
	teardown();
}

TEST(monitor_refuses_bad_descriptors)
{
	setup(NULL, NULL);
	CHECK(strstr(complaint(config_load_monitor, "--agent-fd=x"),
		     "option --agent-fd: agent-fd: 'x' is not accepted"));
	teardown();
}

TEST(reload)
{
	setup("[general]\npath=/run/a\nlogfile=/l\n",
	      "[general]\ntimeout=7\nblock-rpcs=a\n");
	load("-m unix-listen -b b");
	write_file(qga_file, "[general]\npath=/run/b\nverbose=1\n");
	write_file(own_file, "[general]\nblock-rpcs=c\n[hooks]\ntimeout=9\n");
	CHECK_EQ(log_init("test", errors, false), 0);
	CHECK_EQ(config_reload(&config), 0);
	CHECK(strstr(read_errors(), "info: the settings have been read again\n"));
	CHECK_EQ(config.timeout_ms, 60000);
	CHECK_EQ(config.hook_timeout_ms, 9000);
	check_list(config.block_rpcs, "c,b");
	CHECK(config.verbose);
	/* opened at start */
	CHECK_EQ(config.method, CONFIG_UNIX_LISTEN);
	CHECK_STREQ(config.path, "/run/a");
	CHECK_STREQ(config.logfile, "/l");
	teardown();
}

TEST(reload_of_a_bad_file_changes_nothing)
{
	setup(NULL, "[general]\ntimeout=7\nblock-rpcs=a\n[hooks]\nscript=/h\n");
	load("");
	write_file(own_file, "[general]\nblock-rpcs=b\ntimeout=121\n");
	CHECK_EQ(log_init("test", errors, false), 0);
	CHECK_EQ(config_reload(&config), -EINVAL);
	CHECK(strstr(
		read_errors(),
		"/own:3: timeout: '121' is not accepted: expected 1 to 120 seconds\n"));
	CHECK(strstr(read_errors(), "error: the settings stay as they were"));
	CHECK_EQ(config.timeout_ms, 7000);
	check_list(config.block_rpcs, "a");
	CHECK_STREQ(config.fsfreeze_hook, "/h");
	teardown();
}
