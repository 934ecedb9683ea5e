// SPDX-License-Identifier: GPL-2.0
/* What runs here, where, how busy, and who is there. */
#include "query_system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <utmpx.h>

#include "query_child.h"
#include "query_file.h"

int query_system_host_name(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_TEXT};

	if (gethostname(record.text, sizeof(record.text) - 1))
		return query_child_fail(child, -errno, "cannot get hostname");
	return child->emit(child->data, &record);
}

int query_system_timezone(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_ZONE};
	time_t now = time(NULL);
	struct tm tm;

	tzset(); /* it may have changed since we started */
	if (!localtime_r(&now, &tm))
		return query_child_fail(child, -errno,
					"Couldn't retrieve local timezone");
	snprintf(record.zone.name, sizeof(record.zone.name), "%s", tm.tm_zone);
	record.zone.offset_s = tm.tm_gmtoff;
	return child->emit(child->data, &record);
}

int query_system_load(struct query_child *child)
{
	struct query_record record = {.kind = QUERY_LOAD_AVERAGES};
	struct sysinfo info;
	unsigned int i;

	if (sysinfo(&info))
		return query_child_fail(child, -errno,
					"cannot query load average");
	for (i = 0; i < 3; i++)
		record.load.averages[i] = info.loads[i];
	return child->emit(child->data, &record);
}

/* A shell's assignment: quotes around it go, and so do backslashes before
 * what is special inside of them. */
static void unquote(char *value)
{
	char quote = *value, *out = value, *in = value;

	if (quote != '"' && quote != '\'') {
		value[strcspn(value, " ;")] = '\0';
		return;
	}
	for (in++; *in && *in != quote; in++) {
		if (*in == '\\' && in[1] && strchr("$'\"\\`", in[1]))
			in++;
		*out++ = *in;
	}
	*out = '\0';
}

static void read_release(struct query_os *os, FILE *file)
{
	const struct {
		const char *key;
		char *value;
		size_t size;
	} members[] = {
		{"ID=", os->id, sizeof(os->id)},
		{"NAME=", os->name, sizeof(os->name)},
		{"PRETTY_NAME=", os->pretty_name, sizeof(os->pretty_name)},
		{"VERSION=", os->version, sizeof(os->version)},
		{"VERSION_ID=", os->version_id, sizeof(os->version_id)},
		{"VARIANT=", os->variant, sizeof(os->variant)},
		{"VARIANT_ID=", os->variant_id, sizeof(os->variant_id)},
	};
	size_t room = 0, i, len;
	char *line = NULL;

	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
			len = strlen(members[i].key);
			if (strncmp(line, members[i].key, len))
				continue;
			unquote(line + len);
			snprintf(members[i].value, members[i].size, "%s",
				 line + len);
		}
	}
	free(line);
}

int query_system_os(struct query_child *child)
{
	const char *path = getenv("QGA_OS_RELEASE");
	struct query_record record = {.kind = QUERY_OS};
	struct query_os *os = &record.os;
	struct utsname name;
	FILE *file;

	if (uname(&name))
		return query_child_fail(child, -errno, "uname failed: %s",
					strerror(errno));
	snprintf(os->kernel_release, sizeof(os->kernel_release), "%s",
		 name.release);
	snprintf(os->kernel_version, sizeof(os->kernel_version), "%s",
		 name.version);
	snprintf(os->machine, sizeof(os->machine), "%s", name.machine);
	file = query_file_open(child, "%s", path ? path : "/etc/os-release");
	if (!file && !path)
		file = query_file_open(child, "/usr/lib/os-release");
	if (file) {
		read_release(os, file);
		fclose(file);
	}
	return child->emit(child->data, &record);
}

static bool is_same_user(const struct query_record *record,
			 const struct utmpx *login)
{
	return !strncmp(record->user.name, login->ut_user,
			sizeof(login->ut_user));
}

/* Everybody once, with the oldest login. 0 or -ENOMEM. */
static int add_login(struct query_record **users, size_t *nr,
		     const struct utmpx *login)
{
	uint64_t login_us = (uint64_t)login->ut_tv.tv_sec * 1000000 +
			    login->ut_tv.tv_usec;
	struct query_record *user;
	size_t i;

	for (i = 0; i < *nr && !is_same_user(&(*users)[i], login); i++)
		;
	if (i == *nr) {
		user = reallocarray(*users, *nr + 1, sizeof(*user));
		if (!user)
			return -ENOMEM;
		*users = user;
		user += (*nr)++;
		memset(user, 0, sizeof(*user));
		user->kind = QUERY_USER;
		snprintf(user->user.name, sizeof(user->user.name), "%.*s",
			 (int)sizeof(login->ut_user), login->ut_user);
		user->user.login_us = login_us;
	} else if ((*users)[i].user.login_us > login_us) {
		(*users)[i].user.login_us = login_us;
	}
	return 0;
}

int query_system_users(struct query_child *child)
{
	struct query_record *users = NULL;
	const struct utmpx *login;
	size_t nr = 0, i;
	char path[512];
	int err = 0;

	snprintf(path, sizeof(path), "%s" _PATH_UTMPX, child->root);
	utmpxname(path);
	setutxent();
	while (!err && (login = getutxent())) {
		if (login->ut_type == USER_PROCESS)
			err = add_login(&users, &nr, login);
	}
	endutxent();
	for (i = 0; !err && i < nr; i++)
		err = child->emit(child->data, &users[i]);
	free(users);
	return err;
}
