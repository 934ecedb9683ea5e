// SPDX-License-Identifier: GPL-2.0
/*
 * One table says for each setting where it may stand and what values it
 * takes; a value that is not accepted is refused with what would be.
 */
#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"

enum kind {
	KIND_BOOL,
	KIND_SECONDS, /* kept as milliseconds */
	KIND_STRING,
	KIND_LIST, /* separated by commas or semicolons, adds up */
	KIND_COMMANDS, /* such a list of names */
	KIND_METHOD,
	KIND_POLICY,
	KIND_FOREIGN,
	KIND_BACKEND,
	KIND_HOOK,
	KIND_FD,
};

struct setting {
	unsigned int files; /* enum settings_file: where it may stand */
	const char *section, *key;
	enum kind kind;
	size_t offset; /* in struct config */
	unsigned int min, max; /* KIND_SECONDS, KIND_FD */
};

#define AT(member) offsetof(struct config, member)

/* qemu-ga's keys first, in the order of its --dump-conf. */
static const struct setting settings[] = {
	{SETTINGS_QGA, "general", "daemon", KIND_BOOL, AT(daemonize), 0, 0},
	{SETTINGS_QGA, "general", "method", KIND_METHOD, AT(method), 0, 0},
	{SETTINGS_QGA, "general", "path", KIND_STRING, AT(path), 0, 0},
	{SETTINGS_QGA, "general", "logfile", KIND_STRING, AT(logfile), 0, 0},
	{SETTINGS_QGA, "general", "pidfile", KIND_STRING, AT(pidfile), 0, 0},
	{SETTINGS_QGA, "general", "fsfreeze-hook", KIND_HOOK, AT(fsfreeze_hook),
	 0, 0},
	{SETTINGS_QGA, "general", "statedir", KIND_STRING, AT(statedir), 0, 0},
	{SETTINGS_QGA, "general", "verbose", KIND_BOOL, AT(verbose), 0, 0},
	{SETTINGS_QGA, "general", "retry-path", KIND_BOOL, AT(retry_path), 0, 0},
	{SETTINGS_QGA | SETTINGS_KFREEZE, "general", "block-rpcs",
	 KIND_COMMANDS, AT(block_rpcs), 0, 0},
	{SETTINGS_QGA | SETTINGS_KFREEZE, "general", "allow-rpcs",
	 KIND_COMMANDS, AT(allow_rpcs), 0, 0},
	{SETTINGS_QGA, "general", "blacklist", KIND_COMMANDS, AT(block_rpcs), 0,
	 0},
	{SETTINGS_KFREEZE, "general", "timeout", KIND_SECONDS, AT(timeout_ms),
	 1, 120},
	{SETTINGS_KFREEZE, "general", "flush-timeout", KIND_SECONDS,
	 AT(flush_timeout_ms), 1, 600},
	{SETTINGS_KFREEZE, "general", "lost-timeout", KIND_SECONDS,
	 AT(lost_ttl_ms), 1, 86400},
	{SETTINGS_KFREEZE, "general", "strict", KIND_BOOL, AT(strict), 0, 0},
	{SETTINGS_KFREEZE, "general", "backend", KIND_BACKEND, AT(backend), 0, 0},
	{SETTINGS_KFREEZE, "hooks", "script", KIND_HOOK, AT(fsfreeze_hook), 0, 0},
	{SETTINGS_KFREEZE, "hooks", "timeout", KIND_SECONDS,
	 AT(hook_timeout_ms), 1, 600},
	{SETTINGS_KFREEZE, "hooks", "budget", KIND_SECONDS, AT(hook_budget_ms),
	 1, 3600},
	{SETTINGS_KFREEZE, "hooks", "policy", KIND_POLICY, AT(hook_policy), 0, 0},
	{SETTINGS_KFREEZE, "targets", "foreign-freeze", KIND_FOREIGN,
	 AT(foreign_freeze), 0, 0},
	{SETTINGS_KFREEZE, "targets", "exclude", KIND_LIST, AT(exclude), 0, 0},
	{SETTINGS_MONITOR_LINE, "", "agent-fd", KIND_FD, AT(agent_fd), 0, 1023},
};
#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))
#define NR_DUMPED 11
#define NO_HOOK "/dev/null"

const struct config settings_defaults = {
	.method = CONFIG_VIRTIO_SERIAL,
	.agent_fd = -1,
	.timeout_ms = 60000,
	.flush_timeout_ms = 60000,
	.lost_ttl_ms = 600000,
	.hook_timeout_ms = 30000,
	.hook_budget_ms = 60000,
	.hook_policy = CONFIG_HOOK_CONTINUE,
};

static const char *const method_names[] = {
	[CONFIG_VIRTIO_SERIAL] = "virtio-serial",
	[CONFIG_ISA_SERIAL] = "isa-serial",
	[CONFIG_UNIX_LISTEN] = "unix-listen",
	[CONFIG_VSOCK_LISTEN] = "vsock-listen",
};
#define NR_METHODS (sizeof(method_names) / sizeof(method_names[0]))

const char *config_method_name(enum config_method method)
{
	return method_names[method];
}

/* @where: "FILE:LINE" or the option */
static int refuse(const char *where, const char *key, const char *value,
		  const char *accepted)
{
	log_err("%s: %s: '%s' is not accepted: expected %s", where, key, value,
		accepted);
	return -EINVAL;
}

static int parse_number(const char *value, unsigned long min, unsigned long max,
			unsigned long *number)
{
	char *end;

	if (*value < '0' || *value > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoul(value, &end, 10);
	if (errno || *end || *number < min || *number > max)
		return -ERANGE;
	return 0;
}

static int set_bool(bool *flag, const char *value)
{
	if (!strcmp(value, "true") || !strcmp(value, "1"))
		*flag = true;
	else if (!strcmp(value, "false") || !strcmp(value, "0"))
		*flag = false;
	else
		return -EINVAL;
	return 0;
}

static int set_string(char **string, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

static size_t list_length(char *const *list)
{
	size_t nr = 0;

	while (list && list[nr])
		nr++;
	return nr;
}

static int append_to_list(char ***list, const char *item, size_t len)
{
	size_t nr = list_length(*list);
	char **longer, *copy;

	longer = realloc(*list, (nr + 2) * sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	*list = longer;
	longer[nr] = NULL;
	longer[nr + 1] = NULL;
	copy = strndup(item, len);
	if (!copy)
		return -ENOMEM;
	longer[nr] = copy;
	return 0;
}

static int add_to_list(char ***list, const char *value)
{
	size_t blanks, len, next;
	int err;

	for (; *value; value += next) {
		blanks = strspn(value, " \t");
		len = strcspn(value + blanks, ",;");
		next = blanks + len + (value[blanks + len] != '\0');
		while (len && strchr(" \t", value[blanks + len - 1]))
			len--;
		if (!len)
			continue;
		err = append_to_list(list, value + blanks, len);
		if (err)
			return err;
	}
	return 0;
}

static bool (*is_command)(const char *name);

void config_set_commands(bool (*fn)(const char *name))
{
	is_command = fn;
}

/* qemu-ga takes any name. But one that is mistyped blocks nothing. */
static int add_commands(char ***list, const char *value, const char *key,
			const char *where)
{
	size_t nr = list_length(*list);
	int err = add_to_list(list, value);

	for (; !err && is_command && nr < list_length(*list); nr++) {
		if (!is_command((*list)[nr]))
			log_warn("%s: %s: there is no command '%s'", where, key,
				 (*list)[nr]);
	}
	return err;
}

/* qemu-ga fails every freeze with -F/dev/null; admins write it for "none". */
static int set_hook(char **hook, const char *value)
{
	return set_string(hook, strcmp(value, NO_HOOK) ? value : "");
}

static int set_method(enum config_method *method, const char *value)
{
	unsigned int i;

	for (i = 0; i < NR_METHODS; i++) {
		if (strcmp(value, method_names[i]))
			continue;
		*method = i;
		return 0;
	}
	return -EINVAL;
}

static int set_policy(enum config_hook_policy *policy, const char *value)
{
	if (!strcmp(value, "continue"))
		*policy = CONFIG_HOOK_CONTINUE;
	else if (!strcmp(value, "abort"))
		*policy = CONFIG_HOOK_ABORT;
	else
		return -EINVAL;
	return 0;
}

static int set_foreign(enum config_foreign_freeze *foreign, const char *value)
{
	if (!strcmp(value, "fail"))
		*foreign = CONFIG_FOREIGN_FAIL;
	else if (!strcmp(value, "accept"))
		*foreign = CONFIG_FOREIGN_ACCEPT;
	else
		return -EINVAL;
	return 0;
}

static int set_backend(enum config_backend *backend, const char *value)
{
	if (!strcmp(value, "any"))
		*backend = CONFIG_BACKEND_ANY;
	else if (!strcmp(value, "kmod"))
		*backend = CONFIG_BACKEND_KMOD;
	else
		return -EINVAL;
	return 0;
}

static int set_fd(int *fd, const struct setting *setting, const char *value)
{
	unsigned long number;
	int err;

	err = parse_number(value, setting->min, setting->max, &number);
	if (!err)
		*fd = number;
	return err;
}

static int set_seconds(uint32_t *ms, const struct setting *setting,
		       const char *value)
{
	unsigned long seconds;
	int err;

	err = parse_number(value, setting->min, setting->max, &seconds);
	if (!err)
		*ms = seconds * 1000;
	return err;
}

int settings_set(struct config *config, const struct setting *setting,
		 const char *value, const char *where)
{
	void *member = (char *)config + setting->offset;
	char accepted[64] = "a text";
	int err = -EINVAL;

	switch (setting->kind) {
	case KIND_BOOL:
		err = set_bool(member, value);
		strcpy(accepted, "true or false");
		break;
	case KIND_SECONDS:
		err = set_seconds(member, setting, value);
		snprintf(accepted, sizeof(accepted), "%u to %u seconds",
			 setting->min, setting->max);
		break;
	case KIND_STRING:
		err = set_string(member, value);
		break;
	case KIND_LIST:
		err = add_to_list(member, value);
		break;
	case KIND_COMMANDS:
		err = add_commands(member, value, setting->key, where);
		break;
	case KIND_METHOD:
		err = set_method(member, value);
		strcpy(accepted,
		       "virtio-serial, isa-serial, unix-listen or vsock-listen");
		break;
	case KIND_POLICY:
		err = set_policy(member, value);
		strcpy(accepted, "continue or abort");
		break;
	case KIND_FOREIGN:
		err = set_foreign(member, value);
		strcpy(accepted, "fail or accept");
		break;
	case KIND_BACKEND:
		err = set_backend(member, value);
		strcpy(accepted, "any or kmod");
		break;
	case KIND_HOOK:
		err = set_hook(member, value);
		break;
	case KIND_FD:
		err = set_fd(member, setting, value);
		strcpy(accepted, "a descriptor");
		break;
	}
	return err ? refuse(where, setting->key, value, accepted) : 0;
}

const struct setting *settings_find(enum settings_file file,
				    const char *section, const char *key)
{
	unsigned int i;

	for (i = 0; i < NR_SETTINGS; i++) {
		if (settings[i].files & file &&
		    !strcmp(settings[i].section, section) &&
		    !strcmp(settings[i].key, key))
			return &settings[i];
	}
	return NULL;
}

static void dump_list(const char *key, char *const *list)
{
	printf("%s=", key);
	for (; list && *list; list++)
		printf("%s%s", *list, list[1] ? "," : "");
	putchar('\n');
}

static void dump_setting(const struct config *config,
			 const struct setting *setting)
{
	const void *member = (const char *)config + setting->offset;
	const char *string;

	switch (setting->kind) {
	case KIND_BOOL:
		printf("%s=%s\n", setting->key,
		       *(const bool *)member ? "true" : "false");
		break;
	case KIND_METHOD:
		printf("%s=%s\n", setting->key, method_names[config->method]);
		break;
	case KIND_COMMANDS:
		dump_list(setting->key, *(char *const *const *)member);
		break;
	default:
		string = *(const char *const *)member;
		if (string && !*string && setting->kind == KIND_HOOK)
			string = NO_HOOK;
		if (!string && setting->offset == AT(pidfile))
			string = CONFIG_PIDFILE;
		if (!string && setting->offset == AT(statedir))
			string = "/var/run";
		if (string)
			printf("%s=%s\n", setting->key, string);
	}
}

void config_dump(const struct config *config)
{
	unsigned int i;

	puts("[general]");
	for (i = 0; i < NR_DUMPED; i++)
		dump_setting(config, &settings[i]);
}

static void free_list(char **list)
{
	char **item;

	for (item = list; item && *item; item++)
		free(*item);
	free(list);
}

void config_free(struct config *config)
{
	free(config->file);
	free(config->path);
	free(config->logfile);
	free(config->pidfile);
	free(config->statedir);
	free(config->fsfreeze_hook);
	free_list(config->block_rpcs);
	free_list(config->allow_rpcs);
	free_list(config->exclude);
	*config = settings_defaults;
}
