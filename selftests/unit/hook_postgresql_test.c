// SPDX-License-Identifier: GPL-2.0
/* Files of a PostgreSQL in many places. */
/* link: hooks/postgresql hooks/places hooks/filesystems */
/* link: hooks/client_process */
#include "ktap.h"

#include <stdarg.h>
#include <sys/stat.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/instances.h"
#include "root.h"

static struct instance instance = {.pid = 1};
static char said[1024];

bool instance_has_socket(const struct instance *unused, const char *path)
{
	(void)unused;
	(void)path;
	return false;
}

void instance_say(const struct instance *unused, const char *format, ...)
{
	size_t len = strlen(said);
	va_list args;

	(void)unused;
	va_start(args, format);
	vsnprintf(said + len, sizeof(said) - len, format, args);
	va_end(args);
}

/* All is frozen but /proc. */
static void set_up(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	static char list[65536];
	char line[4096], device[16], point[256];
	size_t len = 0;

	CHECK(file);
	root_make();
	while (fgets(line, sizeof(line), file) && len < sizeof(list) - 512) {
		if (sscanf(line, "%*u %*u %15s %*s %255s", device, point) == 2 &&
		    strncmp(point, "/proc", strlen("/proc")))
			len += snprintf(list + len, sizeof(list) - len,
					"%s %s\n", device, point);
	}
	fclose(file);
	CHECK(!setenv("KFREEZE_MOUNTS", list, 1));
	CHECK(!mkdir(in_root("pg_tblspc"), 0700));
	strcpy(instance.directory, root);
}

TEST(all_in_the_data_directory)
{
	set_up();
	CHECK(!mkdir(in_root("pg_wal"), 0700));
	CHECK_EQ(application.prepare(&instance, NULL, client_now_ms()), 0);
}

TEST(log_elsewhere_is_told)
{
	set_up();
	CHECK(!symlink("/proc", in_root("pg_wal")));
	CHECK_EQ(application.prepare(&instance, NULL, client_now_ms()), -EXDEV);
	CHECK(strstr(said, "/pg_wal: is on a filesystem that is not to be"));
}

TEST(tablespace_elsewhere_is_told)
{
	set_up();
	CHECK(!mkdir(in_root("pg_wal"), 0700));
	CHECK(!symlink("/proc", in_root("pg_tblspc/16384")));
	CHECK_EQ(application.prepare(&instance, NULL, client_now_ms()), -EXDEV);
	CHECK(strstr(said, "/16384: is on a filesystem that is not to be"));
}
