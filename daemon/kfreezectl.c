// SPDX-License-Identifier: GPL-2.0
/*
 * kfreezectl: the administrator's tool. Freezes through a monitor of its own,
 * with the settings and hooks of the system's, and asks that one how it is.
 */
#include <errno.h>
#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "ctl_check.h"
#include "ctl_client.h"
#include "ctl_report.h"
#include "ctl_status.h"
#include "freezer.h"
#include "freezer_list.h"
#include "freezer_rescue.h"
#include "log.h"
#include "qga_cycle.h"
#include "qga_writer.h"
#include "version.h"

#define EXIT_NOT_RUN 125 /* as env(1) and others do */

static struct config config;

static int fail(const char *text)
{
	log_err("%s", text);
	return EXIT_FAILURE;
}

static int check(char **argv)
{
	(void)argv;
	return ctl_check(&config) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The processes of a cycle thaw when its freezer dies. */
static int thaw(char **argv)
{
	int err;

	(void)argv;
	err = freezer_kmod_rescue();
	if (err && err != -ENOENT)
		return fail(strerror(-err));
	err = list_init(LIST_DIRECTORY);
	if (err)
		log_warn(LIST_DIRECTORY ": no lists: %s", strerror(-err));
	rescue_end_living();
	return rescue_run() ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_command(char **argv)
{
	int status;
	pid_t pid;

	signal(SIGCHLD, SIG_DFL); /* ignored since the monitor was started */
	pid = fork();
	if (pid == 0) {
		execvp(*argv, argv);
		log_err("%s: cannot start: %s", *argv, strerror(errno));
		_exit(EXIT_NOT_RUN);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return EXIT_NOT_RUN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Frozen while @argv runs, if it is not NULL. Its exit status counts only if
 * the freeze lasted. */
static int freeze_for(char **argv)
{
	int status = EXIT_SUCCESS, count;
	struct ipc_reply answer;

	config.private = true;
	if (ctl_client_start(&config))
		return EXIT_FAILURE;
	if (ctl_client_ask(IPC_FREEZE, NULL, &answer) < 0)
		return fail(answer.text);
	if (argv)
		status = run_command(argv);
	count = ctl_client_ask(IPC_THAW, NULL, &answer);
	if (count < 0)
		return fail(answer.text);
	if (argv)
		return status;
	printf("%d filesystems were frozen and thawed\n", count);
	if (ctl_client_ask(IPC_REPORT, ctl_report_print, &answer) < 0)
		return fail(answer.text);
	return EXIT_SUCCESS;
}

static int rehearse(char **argv)
{
	(void)argv;
	return freeze_for(NULL);
}

static int run(char **argv)
{
	if (*argv && !strcmp(*argv, "--"))
		argv++;
	if (!*argv)
		return fail("run: which command?");
	return freeze_for(argv);
}

static int status(char **argv)
{
	(void)argv;
	return ctl_status() ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_json(const struct report_record *records, size_t nr)
{
	struct json_object *cycles = json_object_new_array();
	struct printbuf *text = printbuf_new();
	size_t i;

	for (i = 0; i < nr; i++)
		qga_cycle_add(cycles, &records[i]);
	cycles = qga_cycle_report(cycles);
	if (!text || qga_write(text, cycles))
		return fail("out of memory");
	puts(text->buf);
	printbuf_free(text);
	json_object_put(cycles);
	return EXIT_SUCCESS;
}

static int report(char **argv)
{
	const struct report_record *records;
	size_t nr, i;

	if (*argv && strcmp(*argv, "--json"))
		return fail("report: --json is the only option");
	if (ctl_status_cycle(&records, &nr))
		return EXIT_FAILURE;
	if (*argv)
		return print_json(records, nr);
	if (!nr)
		puts("no freeze since kfreeze-monitor was started");
	for (i = 0; i < nr; i++)
		ctl_report_print(&records[i]);
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	int (*fn)(char **argv);
	bool has_settings;
	const char *help;
} commands[] = {
	{"check", check, true, "what a freeze would do, and what is in its way"},
	{"rehearse", rehearse, true,
	 "freeze, thaw at once, and tell how long it took"},
	{"status", status, false, "what is frozen now, and until when"},
	{"report", report, false, "[--json]: what became of the last freeze"},
	{"run", run, true, "-- COMMAND: freeze, run it, thaw"},
	{"thaw", thaw, true,
	 "thaw what any kfreeze has frozen; its host hears so"},
};
#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static int usage(FILE *to)
{
	size_t i;

	fputs("Usage: kfreezectl COMMAND\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].help);
	return to == stdout ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char *no_arguments[] = {argv[0], NULL};
	size_t i;

	log_init("kfreezectl", NULL, false);
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("kfreezectl " KFREEZED_VERSION);
		return EXIT_SUCCESS;
	}
	for (i = 0; i < NR_COMMANDS && strcmp(argv[1], commands[i].name); i++)
		;
	if (i == NR_COMMANDS)
		return usage(stderr);
	if (geteuid())
		return fail("only root may do this");
	if (commands[i].has_settings &&
	    config_load_monitor(&config, 1, no_arguments))
		return EXIT_FAILURE;
	return commands[i].fn(argv + 2);
}
