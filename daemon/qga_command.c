// SPDX-License-Identifier: GPL-2.0
/*
 * What a host may ask. Commands that would hand it a root shell (exec, files,
 * passwords, ssh keys) do not exist here at all.
 */
#include "qga_command.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "monitor_client.h"
#include "qga_fsfreeze.h"
#include "qga_info.h"
#include "qga_net.h"
#include "qga_power.h"
#include "qga_report.h"
#include "qga_request.h"
#include "qga_stats.h"
#include "qga_storage.h"
#include "qga_system.h"
#include "qga_time.h"
#include "qga_unit.h"

const struct qga_command qga_commands[] = {
	{"guest-sync-delimited",
	 QGA_WHILE_FROZEN,
	 {"id", QGA_INTEGER, false},
	 qga_sync_delimited},
	{"guest-sync", QGA_WHILE_FROZEN, {"id", QGA_INTEGER, false}, qga_sync},
	{"guest-ping", QGA_WHILE_FROZEN, {0}, qga_ping},
	{"guest-info", QGA_WHILE_FROZEN, {0}, qga_info},
	{"guest-fsfreeze-status", QGA_WHILE_FROZEN, {0}, qga_fsfreeze_status},
	{"guest-fsfreeze-freeze", 0, {0}, qga_fsfreeze_freeze},
	{"guest-fsfreeze-freeze-list",
	 0,
	 {"mountpoints", QGA_STRINGS, true},
	 qga_fsfreeze_freeze_list},
	{"guest-fsfreeze-thaw", QGA_WHILE_FROZEN, {0}, qga_fsfreeze_thaw},
	{"guest-get-host-name", 0, {0}, qga_get_host_name},
	{"guest-get-timezone", 0, {0}, qga_get_timezone},
	{"guest-get-time", 0, {0}, qga_get_time},
	{"guest-set-time", 0, {"time", QGA_INTEGER, true}, qga_set_time},
	{"guest-get-load", 0, {0}, qga_get_load},
	{"guest-get-osinfo", 0, {0}, qga_get_osinfo},
	{"guest-get-users", 0, {0}, qga_get_users},
	{"guest-get-cpustats", 0, {0}, qga_get_cpustats},
	{"guest-get-diskstats", 0, {0}, qga_get_diskstats},
	{"guest-get-disks", 0, {0}, qga_get_disks},
	{"guest-get-fsinfo", 0, {0}, qga_get_fsinfo},
	{"guest-fstrim", 0, {"minimum", QGA_INTEGER, true}, qga_fstrim},
	{"guest-network-get-interfaces", 0, {0}, qga_network_get_interfaces},
	{"guest-network-get-route", 0, {0}, qga_network_get_route},
	{"guest-get-vcpus", 0, {0}, qga_get_vcpus},
	{"guest-set-vcpus", 0, {"vcpus", QGA_OBJECTS, false}, qga_set_vcpus},
	{"guest-get-memory-blocks", 0, {0}, qga_get_memory_blocks},
	{"guest-set-memory-blocks",
	 0,
	 {"mem-blks", QGA_OBJECTS, false},
	 qga_set_memory_blocks},
	{"guest-get-memory-block-info", 0, {0}, qga_get_memory_block_info},
	{"guest-shutdown", QGA_SILENT, {"mode", QGA_STRING, true}, qga_shutdown},
	{"guest-suspend-disk", QGA_SILENT, {0}, qga_suspend_disk},
	{"guest-suspend-ram", QGA_SILENT, {0}, qga_suspend_ram},
	{"guest-suspend-hybrid", QGA_SILENT, {0}, qga_suspend_hybrid},
	{"__org.kfreeze_report", 0, {0}, qga_report},
	{0},
};

const struct qga_command *qga_command_find(const char *name)
{
	const struct qga_command *command;

	for (command = qga_commands; command->name; command++) {
		if (!strcmp(command->name, name))
			return command;
	}
	return NULL;
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; list && *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

/* Files of the field block them, and are right to. */
static const char *const absent_commands[] = {
	"guest-exec",
	"guest-exec-status",
	"guest-file-open",
	"guest-file-close",
	"guest-file-read",
	"guest-file-write",
	"guest-file-seek",
	"guest-file-flush",
	"guest-set-user-password",
	"guest-ssh-get-authorized-keys",
	"guest-ssh-add-authorized-keys",
	"guest-ssh-remove-authorized-keys",
	"guest-get-devices",
	NULL,
};

bool qga_command_is_known(const char *name)
{
	return qga_command_find(name) || is_listed(absent_commands, name);
}

bool qga_command_is_allowed(const struct qga_context *context,
			    const struct qga_command *command)
{
	const struct config *config = context->config;
	enum ipc_state state = monitor_state(context->monitor);

	if (state != IPC_THAWED && command->flags & QGA_WHILE_FROZEN)
		return true;
	if (state != IPC_THAWED && state != IPC_LOST)
		return false;
	if (is_listed((const char *const *)config->block_rpcs, command->name))
		return false;
	return !config->allow_rpcs ||
	       is_listed((const char *const *)config->allow_rpcs, command->name);
}

static bool is_of_type(struct json_object *value, enum json_type type)
{
	/* one beyond int64 is no integer to qemu-ga either */
	return json_object_is_type(value, type) &&
	       (type != json_type_int ||
		json_object_get_int64(value) < INT64_MAX ||
		json_object_get_uint64(value) == INT64_MAX);
}

/* False: @request has been answered with what is wrong with @value. */
static bool check_type(struct qga_request *request,
		       const struct qga_parameter *parameter,
		       struct json_object *value)
{
	static const struct {
		enum json_type type, element;
		const char *name, *element_name;
	} types[] = {
		[QGA_INTEGER] = {json_type_int, 0, "integer", NULL},
		[QGA_STRING] = {json_type_string, 0, "string", NULL},
		[QGA_STRINGS] = {json_type_array, json_type_string, "array",
				 "string"},
		[QGA_OBJECTS] = {json_type_array, json_type_object, "array",
				 "object"},
	};
	static const char wrong[] =
		"Invalid parameter type for '%s%s', expected: %s";
	enum qga_type type = parameter->type;
	size_t i, nr;
	char index[32];

	if (!is_of_type(value, types[type].type)) {
		qga_fail(request, wrong, parameter->name, "", types[type].name);
		return false;
	}
	nr = types[type].element ? json_object_array_length(value) : 0;
	for (i = 0; i < nr; i++) {
		if (is_of_type(json_object_array_get_idx(value, i),
			       types[type].element))
			continue;
		snprintf(index, sizeof(index), "[%zu]", i);
		qga_fail(request, wrong, parameter->name, index,
			 types[type].element_name);
		return false;
	}
	return true;
}

static bool check_parameter(struct qga_request *request,
			    const struct qga_parameter *parameter)
{
	struct json_object *value = NULL;

	if (!parameter->name)
		return true;
	if (request->arguments &&
	    json_object_object_get_ex(request->arguments, parameter->name, &value))
		return check_type(request, parameter, value);
	if (parameter->optional)
		return true;
	qga_fail(request, "Parameter '%s' is missing", parameter->name);
	return false;
}

static bool check_unexpected(struct qga_request *request,
			     const struct qga_parameter *parameter)
{
	struct json_object_iter member;

	if (!request->arguments)
		return true;
	json_object_object_foreachC(request->arguments, member)
	{
		if (parameter->name && !strcmp(member.key, parameter->name))
			continue;
		qga_fail(request, "Parameter '%s' is unexpected", member.key);
		return false;
	}
	return true;
}

void qga_command_run(const struct qga_command *command,
		     struct qga_request *request)
{
	if (!qga_command_is_allowed(request->context, command)) {
		qga_fail_not_found(
			request,
			"Command %s has been disabled: the command is not allowed",
			command->name);
		return;
	}
	request->command = command->name;
	if (check_parameter(request, &command->parameter) &&
	    check_unexpected(request, &command->parameter))
		command->run(request);
}
