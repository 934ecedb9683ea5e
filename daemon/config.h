/* SPDX-License-Identifier: GPL-2.0 */
/* Files and argv as one struct, read at start and again when asked to. */
#ifndef KFREEZE_CONFIG_H
#define KFREEZE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_FILE "/etc/kfreeze/kfreezed.conf"
#define CONFIG_QGA_FILE "/etc/qemu/qemu-ga.conf"
#define CONFIG_PORT "/dev/virtio-ports/org.qemu.guest_agent.0"
#define CONFIG_PIDFILE "/var/run/qemu-ga.pid"

enum config_method {
	CONFIG_VIRTIO_SERIAL,
	CONFIG_ISA_SERIAL,
	CONFIG_UNIX_LISTEN,
	CONFIG_VSOCK_LISTEN,
};

enum config_hook_policy {
	CONFIG_HOOK_CONTINUE, /* a failed hook is reported */
	CONFIG_HOOK_ABORT, /* a failed hook fails the freeze */
};

enum config_foreign_freeze {
	CONFIG_FOREIGN_FAIL, /* what somebody else has frozen fails the freeze */
	CONFIG_FOREIGN_ACCEPT, /* it counts as frozen, and is left so */
};

enum config_backend {
	CONFIG_BACKEND_ANY, /* the module where it is loaded, else FIFREEZE */
	CONFIG_BACKEND_KMOD, /* the module or nothing: needs fewer rights */
};

struct config {
	/* kfreezed's command line, which is qemu-ga's */
	enum config_method method;
	char *path; /* of the channel */
	char *logfile, *pidfile, *statedir; /* NULL: default */
	bool verbose, daemonize, retry_path, dump;
	char **block_rpcs, **allow_rpcs; /* NULL-terminated, or NULL */

	char *file; /* --config: instead of CONFIG_QGA_FILE; NULL: not given */

	/* kfreeze-monitor's command line */
	int agent_fd; /* --agent-fd: socketpair to the agent; -1: none */
	bool private; /* --private: for no host, which has nothing to hear */

	/* both processes */
	uint32_t timeout_ms; /* [general] timeout, seconds: 1..120, 60 */
	uint32_t flush_timeout_ms; /* [general] flush-timeout: 1..600, 60 */
	uint32_t lost_ttl_ms; /* [general] lost-timeout: 1..86400, 600 */
	bool strict; /* [general] strict: unknown mount points are errors */

	/* the monitor */
	char *fsfreeze_hook; /* -F: master script instead of the directories;
			      * "" for none at all; NULL: the directories */
	uint32_t hook_timeout_ms; /* [hooks] timeout, seconds: 1..600, 30 */
	uint32_t hook_budget_ms; /* [hooks] budget, seconds: 1..3600, 60 */
	enum config_hook_policy hook_policy; /* [hooks] policy */
	enum config_foreign_freeze foreign_freeze; /* [targets] foreign-freeze */
	enum config_backend backend; /* [general] backend, for good */
	char **exclude; /* [targets] exclude: globs on mount point, source
			 * or type; NULL-terminated, or NULL */
};

/* Before a load: names of commands for which @is_command is false are warned
 * of, with file and line, and taken all the same. */
void config_set_commands(bool (*is_command)(const char *name));

/* Who reads: kfreezed takes qemu-ga's options and files too; the monitor takes
 * the hook from them. An error is logged with file, line and accepted range.
 * --help and --version print and exit. 0 or -errno. */
int config_load_agent(struct config *config, int argc, char **argv);
int config_load_monitor(struct config *config, int argc, char **argv);
/* The same files and argv again. What was opened at start stays as it is:
 * channel, log, pidfile, backend. On an error, logged, all settings do. 0 or -errno. */
int config_reload(struct config *config);
/* qemu-ga's --dump-conf: its keys and values on stdout. */
void config_dump(const struct config *config);
const char *config_method_name(enum config_method method);
void config_free(struct config *config);

#endif
