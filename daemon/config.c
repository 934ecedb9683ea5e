// SPDX-License-Identifier: GPL-2.0
/*
 * Settings from qemu-ga's file, from our own, then from the command line:
 * what comes later wins, lists add up.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ini.h"
#include "log.h"
#include "settings.h"
#include "version.h"

#define DEFAULT_HOOK "/etc/qemu/fsfreeze-hook"

static int found_in(struct config *config, unsigned int file,
		    const struct ini_entry *entry)
{
	const struct setting *setting;
	char where[512];

	setting = settings_find(file, entry->section, entry->key);
	if (setting) {
		snprintf(where, sizeof(where), "%s:%u", entry->file, entry->line);
		return settings_set(config, setting, entry->value, where);
	}
	/* qemu-ga ignores what it does not know */
	if (file == SETTINGS_QGA)
		return 0;
	log_err("%s:%u: unknown setting '%s' in section [%s]", entry->file,
		entry->line, entry->key, entry->section);
	return -EINVAL;
}

static int found_in_qga_file(void *data, const struct ini_entry *entry)
{
	return found_in(data, SETTINGS_QGA, entry);
}

static int found_in_kfreeze_file(void *data, const struct ini_entry *entry)
{
	return found_in(data, SETTINGS_KFREEZE, entry);
}

static const struct option agent_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"dump-conf", no_argument, NULL, 'D'},
	{"config", required_argument, NULL, 'c'},
	{"method", required_argument, NULL, 'm'},
	{"path", required_argument, NULL, 'p'},
	{"logfile", required_argument, NULL, 'l'},
	{"pidfile", required_argument, NULL, 'f'},
	{"fsfreeze-hook", optional_argument, NULL, 'F'},
	{"statedir", required_argument, NULL, 't'},
	{"verbose", no_argument, NULL, 'v'},
	{"daemonize", no_argument, NULL, 'd'},
	{"block-rpcs", required_argument, NULL, 'b'},
	{"blacklist", required_argument, NULL, 'b'},
	{"allow-rpcs", required_argument, NULL, 'a'},
	{"retry-path", no_argument, NULL, 'r'},
	{NULL, 0, NULL, 0},
};

static const struct option monitor_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"config", required_argument, NULL, 'c'},
	{"fsfreeze-hook", optional_argument, NULL, 'F'},
	{"agent-fd", required_argument, NULL, 'A'},
	{"private", no_argument, NULL, 'P'},
	{"verbose", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

static const char agent_help[] =
	"Usage: kfreezed [OPTION]...\n"
	"Answers the QEMU guest agent protocol: freezes filesystems for the host.\n\n"
	"  -m, --method=METHOD        virtio-serial (default), isa-serial,\n"
	"                             unix-listen or vsock-listen\n"
	"  -p, --path=PATH            device, socket path or CID:PORT\n"
	"  -c, --config=FILE          instead of " CONFIG_QGA_FILE "\n"
	"  -F, --fsfreeze-hook[=PATH] this script instead of the hook directories;\n"
	"                             /dev/null: no hooks (no space before PATH)\n"
	"  -b, --block-rpcs=LIST      commands to refuse; \"help\" lists them all\n"
	"  -a, --allow-rpcs=LIST      refuse all other commands\n"
	"  -l, --logfile=PATH         instead of the journal or stderr\n"
	"  -d, --daemonize            go into the background\n"
	"  -f, --pidfile=PATH         with -d; default " CONFIG_PIDFILE "\n"
	"  -r, --retry-path           wait for PATH to appear\n"
	"  -t, --statedir=PATH        accepted, not needed\n"
	"  -v, --verbose              log more\n"
	"  -D, --dump-conf            print the settings of qemu-ga.conf and exit\n"
	"  -V, --version\n"
	"  -h, --help\n";

static const char monitor_help[] =
	"Usage: kfreeze-monitor [OPTION]...\n"
	"Freezes, thaws and runs hooks on behalf of kfreezed.\n\n"
	"      --agent-fd=FD          socket to kfreezed, instead of systemd's\n"
	"      --private              a lost freeze is of no interest to a host\n"
	"      --rescue               thaw what killed processes left, and exit\n"
	"  -c, --config=FILE          instead of " CONFIG_QGA_FILE "\n"
	"  -F, --fsfreeze-hook[=PATH] this script instead of the hook directories;\n"
	"                             /dev/null: no hooks (no space before PATH)\n"
	"  -v, --verbose              log more\n"
	"  -V, --version\n"
	"  -h, --help\n";

struct command_line {
	const char *program, *help, *short_options;
	const struct option *long_options;
};

static const struct command_line agent_line = {
	"kfreezed",
	agent_help,
	"hVDc:m:p:l:f:F::t:vdb:a:rs:",
	agent_options,
};

static const struct command_line monitor_line = {
	"kfreeze-monitor",
	monitor_help,
	"hVc:F::v",
	monitor_options,
};

/* Command line options which are a setting of qemu-ga's file as well. */
static int set_option(struct config *config, int option, const char *value)
{
	static const struct {
		int option;
		const char *key;
	} keys[] = {
		{'m', "method"},	{'p', "path"},
		{'l', "logfile"},	{'f', "pidfile"},
		{'F', "fsfreeze-hook"}, {'t', "statedir"},
		{'v', "verbose"},	{'d', "daemon"},
		{'r', "retry-path"},	{'b', "block-rpcs"},
		{'a', "allow-rpcs"},
	};
	char where[] = "option -?";
	unsigned int i = 0;

	while (keys[i].option != option)
		i++;
	where[sizeof(where) - 2] = option;
	return settings_set(config,
			    settings_find(SETTINGS_QGA, "general", keys[i].key),
			    value, where);
}

static void exit_for_usage(const struct command_line *line, int option)
{
	if (option == 'h') {
		fputs(line->help, stdout);
		exit(EXIT_SUCCESS);
	}
	if (option == 'V') {
		printf("%s %s\n", line->program, KFREEZED_VERSION);
		exit(EXIT_SUCCESS);
	}
	printf("Unknown option, try '%s --help' for more information.\n",
	       line->program);
	exit(EXIT_FAILURE);
}

static int parse_options(struct config *config, const struct command_line *line,
			 int argc, char **argv)
{
	int option, err = 0;

	optind = 0; /* also tells getopt that this is a new argv */
	while (!err) {
		option = getopt_long(argc, argv, line->short_options,
				     line->long_options, NULL);
		switch (option) {
		case -1:
			return 0;
		case 'h':
		case 'V':
		case '?':
			exit_for_usage(line, option);
			break;
		case 'c': /* read before the others, in find_file() */
		case 's': /* how qemu-ga installs itself as a Windows service */
			break;
		case 'A':
			err = settings_set(config,
					   settings_find(SETTINGS_MONITOR_LINE,
							 "", "agent-fd"),
					   optarg, "option --agent-fd");
			break;
		case 'P':
			config->private = true;
			break;
		case 'D':
			config->dump = true;
			break;
		case 'F':
			err = set_option(config, 'F',
					 optarg ? optarg : DEFAULT_HOOK);
			break;
		case 'v':
		case 'd':
		case 'r':
			err = set_option(config, option, "true");
			break;
		default:
			err = set_option(config, option, optarg);
		}
	}
	return err;
}

/* -c, which counts before everything else on the command line. */
static const char *find_file(const struct command_line *line, int argc,
			     char **argv)
{
	const char *file = NULL;
	int option;

	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, line->short_options,
				     line->long_options, NULL)) != -1) {
		if (option == 'c')
			file = optarg;
	}
	opterr = 1;
	return file;
}

static int read_files(struct config *config, const char *qga_file)
{
	const char *own = getenv("KFREEZE_CONF");
	const char *qga = qga_file;
	int err;

	if (!qga)
		qga = getenv("QGA_CONF");
	err = ini_read(qga ? qga : CONFIG_QGA_FILE, found_in_qga_file, config);
	if (err == -ENOENT && qga_file) {
		log_err("%s: cannot open: %s", qga_file, strerror(-err));
		return err;
	}
	if (err && err != -ENOENT)
		return err;
	err = ini_read(own ? own : CONFIG_FILE, found_in_kfreeze_file, config);
	return err == -ENOENT ? 0 : err;
}

/* For config_reload(). */
static struct {
	const struct command_line *line;
	int argc;
	char **argv;
} given;

static int load(struct config *config, const struct command_line *line,
		int argc, char **argv)
{
	const char *file = find_file(line, argc, argv);
	int err;

	given.line = line;
	given.argc = argc;
	given.argv = argv;
	*config = settings_defaults;
	err = read_files(config, file);
	if (!err && file) {
		config->file = strdup(file);
		err = config->file ? 0 : -ENOMEM;
	}
	if (!err)
		err = parse_options(config, line, argc, argv);
	if (err)
		config_free(config);
	return err;
}

static int set_path(struct config *config, const char *path)
{
	return settings_set(config,
			    settings_find(SETTINGS_QGA, "general", "path"),
			    path, "default");
}

static int default_path(struct config *config)
{
	if (config->path)
		return 0;
	switch (config->method) {
	case CONFIG_VIRTIO_SERIAL:
		return set_path(config, CONFIG_PORT);
	case CONFIG_ISA_SERIAL:
		return set_path(config, "/dev/ttyS0");
	default:
		return 0; /* channel_open() asks for it, unless we were given a socket */
	}
}

int config_load_agent(struct config *config, int argc, char **argv)
{
	int err = load(config, &agent_line, argc, argv);

	return err ? err : default_path(config);
}

int config_load_monitor(struct config *config, int argc, char **argv)
{
	return load(config, &monitor_line, argc, argv);
}

static void swap_strings(char **a, char **b)
{
	char *string = *a;

	*a = *b;
	*b = string;
}

int config_reload(struct config *config)
{
	struct config fresh;
	int err;

	err = load(&fresh, given.line, given.argc, given.argv);
	if (err) {
		log_err("the settings stay as they were: %s", strerror(-err));
		return err;
	}
	fresh.method = config->method;
	fresh.retry_path = config->retry_path;
	fresh.backend = config->backend;
	swap_strings(&fresh.path, &config->path);
	swap_strings(&fresh.logfile, &config->logfile);
	swap_strings(&fresh.pidfile, &config->pidfile);
	config_free(config);
	*config = fresh;
	log_set_verbose(fresh.verbose);
	log_info("the settings have been read again");
	return 0;
}
