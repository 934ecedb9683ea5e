/* SPDX-License-Identifier: GPL-2.0 */
/* Hooks that are run from two directories of the test's own. */
/* link: hooks hook_list hook_trust hook_header hook_process hook_group hook_output */
/* link: hook_environment hook_record hook_log hook_journal log */
/* libs: libsystemd */
#ifndef HOOKS_HARNESS_H
#define HOOKS_HARNESS_H

#include "ktap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "hook_list.h"
#include "hooks.h"
#include "mounts.h"
#include "root.h"

#define MAX_RESULTS 32

static char dirs[2][64], log_path[64];
/* the second is the shipped one's place */
static const struct hook_directory directories[] = {
	{dirs[0], NULL},
	{dirs[1], dirs[0]},
	{NULL, NULL},
};
static sd_event *event;

static struct {
	char path[128], phase[8], line[HOOKS_LINE_MAX];
	struct hook_exit exit;
} results[MAX_RESULTS];
static size_t nr_results;
static bool is_done;
static int done_err;
static char done_text[HOOKS_TEXT_MAX];

static inline void on_ran(void *unused, const struct hooks_result *result)
{
	(void)unused;
	CHECK(nr_results < MAX_RESULTS);
	snprintf(results[nr_results].path, sizeof(results->path), "%s",
		 result->path + strlen(root) + 1);
	snprintf(results[nr_results].phase, sizeof(results->phase), "%s",
		 hooks_phase_name(result->thawing));
	memcpy(results[nr_results].line, result->line, sizeof(results->line));
	results[nr_results++].exit = result->exit;
}

static inline void on_done(void *unused, int err, const char *text)
{
	(void)unused;
	done_err = err;
	snprintf(done_text, sizeof(done_text), "%s", text);
	is_done = true;
}

static inline struct hooks_settings set_up(void)
{
	root_make();
	snprintf(dirs[0], sizeof(dirs[0]), "%s/a", root);
	snprintf(dirs[1], sizeof(dirs[1]), "%s/b", root);
	snprintf(log_path, sizeof(log_path), "%s/log", root);
	CHECK(!mkdir(dirs[0], 0755) && !mkdir(dirs[1], 0755));
	return (struct hooks_settings){
		.directories = directories,
		.log_path = log_path,
		.timeout_ms = 20000,
		.budget_ms = 20000,
		.grace_ms = 200,
		.background_ms = 300,
		.ran = on_ran,
		.done = on_done,
	};
}

static inline void add_script(const char *name, const char *script, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	dprintf(fd, "#!/bin/sh\n%s\n", script);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

static inline const char *read_file(const char *name)
{
	static char text[1 << 20];
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static inline void start(const struct hooks_settings *settings)
{
	if (!event)
		CHECK(sd_event_new(&event) >= 0);
	hooks_init(event, settings);
}

static inline void run_phase(void)
{
	for (is_done = false; !is_done;)
		CHECK(sd_event_run(event, UINT64_MAX) >= 0);
}

static inline void freeze(void)
{
	struct mounts_target targets[] = {
		{.dev = makedev(8, 1), .path = "/"},
		{.dev = makedev(0, 40), .path = "/srv/my\tdata\\x"},
	};
	const struct mounts mounts = {.targets = targets, .nr_targets = 2};
	const struct hooks_cycle cycle = {
		.id = 42,
		.timeout_ms = 60000,
		.mounts = &mounts,
	};

	CHECK(hooks_freeze(&cycle) >= 0);
	run_phase();
}

static inline void thaw(const char *outcome)
{
	nr_results = 0;
	CHECK(hooks_thaw(outcome) >= 0);
	run_phase();
}

static inline void check_result(size_t index, const char *path, int exit_code)
{
	CHECK(index < nr_results);
	CHECK_STREQ(results[index].path, path);
	CHECK_EQ(results[index].exit.exit_code, exit_code);
}

#endif
