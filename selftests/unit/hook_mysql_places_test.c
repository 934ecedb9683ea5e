// SPDX-License-Identifier: GPL-2.0
/* Files of a MariaDB or MySQL in many places, with a shell script as client. */
/* link: hooks/mysql_places hooks/places hooks/filesystems */
/* link: hooks/client_process hooks/instances */
#include "ktap.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "hooks/application.h"
#include "hooks/client_process.h"
#include "hooks/instances.h"
#include "hooks/mysql_places.h"
#include "root.h"

/* The files ANSWERS/NAME hold what is answered for a variable. */
static const char script[] =
	"while read -r line; do case $line in"
	" SHOW*) name=${line#*LIKE \\'}; name=${name%\\'*};"
	" [ -f $ANSWERS/$name ] && printf '%s\\t%s\\n' $name $(cat $ANSWERS/$name);;"
	" *'LIMIT 0, 1;') [ -f $ANSWERS/files ] && echo $(cat $ANSWERS/files);;"
	" 'SELECT '\\'*) line=${line#*\\'}; echo \"${line%\\'*}\";; esac; done";

const struct application application = {.name = "test"};

static struct instance instance = {.pid = 1};

static void write_file(const char *name, const char *text)
{
	int fd = open(in_root(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Of @path's filesystem, or none. */
static void freeze_only(const char *path)
{
	FILE *file = fopen("/proc/self/mountinfo", "r");
	char line[4096], device[16], point[256], best[256] = "", list[300] = "";

	CHECK(file);
	while (path && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*u %*u %15s %*s %255s", device, point) != 2 ||
		    strncmp(path, point, strlen(point)) ||
		    strlen(point) < strlen(best))
			continue;
		strcpy(best, point);
		snprintf(list, sizeof(list), "%s %s", device, point);
	}
	fclose(file);
	CHECK_EQ(setenv("KFREEZE_MOUNTS", list, 1), 0);
}

/* The data directory is frozen; /proc is what is not. */
static void set_up(void)
{
	root_make();
	CHECK(!mkdir(in_root("data"), 0700));
	snprintf(instance.directory, sizeof(instance.directory), "%s",
		 in_root("data"));
	CHECK(!mkdir(in_root("data/db"), 0700));
	CHECK(!mkdir(in_root("answers"), 0700));
	CHECK(!setenv("ANSWERS", in_root("answers"), 1));
	freeze_only(root);
}

static int check(const char *files)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct client_spec spec = {.program = "sh", .argv = argv};
	struct client client;
	int err;

	CHECK_EQ(client_start(&client, &spec), 0);
	err = mysql_places_check(&client, &instance, files,
				 client_now_ms() + 20000);
	client_stop(&client);
	return err;
}

TEST(all_in_the_data_directory)
{
	set_up();
	write_file("answers/innodb_undo_directory", "./");
	write_file("answers/innodb_data_file_path", "ibdata1:12M:autoextend");
	CHECK_EQ(check("SELECT files"), 0);
}

TEST(each_variable_can_lead_elsewhere)
{
	static const struct {
		const char *file, *value;
	} rows[] = {
		{"answers/innodb_data_home_dir", "/proc/"},
		{"answers/innodb_log_group_home_dir", "/proc"},
		{"answers/innodb_undo_directory", "/proc"},
		{"answers/innodb_doublewrite_dir", "/proc"},
		{"answers/aria_log_dir_path", "/proc"},
		{"answers/log_bin_basename", "/proc/no-file-of-this-name"},
		{"answers/relay_log_basename", "/proc/relay"},
		{"answers/innodb_data_file_path", "ibdata1:12M;/proc/ibdata2:1G"},
		{"answers/innodb_undo_directory", "../../../proc"},
		{"answers/files", "/proc/"},
	};
	size_t i;

	set_up();
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		printf("# %s\n", rows[i].file);
		write_file(rows[i].file, rows[i].value);
		CHECK_EQ(check("SELECT files"), -EXDEV);
		CHECK(!unlink(in_root(rows[i].file)));
		CHECK_EQ(check("SELECT files"), 0);
	}
}

TEST(links_can_lead_elsewhere)
{
	static const char *const names[] = {"data/database", "data/db/t.MYD"};
	size_t i;

	set_up();
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK(!symlink("/proc", in_root(names[i])));
		CHECK_EQ(check(NULL), -EXDEV);
		CHECK(!unlink(in_root(names[i])));
		CHECK_EQ(check(NULL), 0);
	}
	write_file("data/db/t.isl", "/proc/version");
	CHECK_EQ(check(NULL), -EXDEV);
}

/* What is in its directory is the server's affair, not ours. */
TEST(link_file_that_is_a_pipe_is_not_waited_for)
{
	set_up();
	CHECK(!mkfifo(in_root("data/db/t.isl"), 0600));
	CHECK_EQ(check(NULL), 0);
}

TEST(path_that_is_gone_is_a_failure)
{
	set_up();
	write_file("answers/innodb_undo_directory", "/no/such/directory");
	CHECK_EQ(check(NULL), -EXDEV);
}

TEST(server_elsewhere_is_not_ours)
{
	set_up();
	freeze_only(NULL);
	CHECK_EQ(check(NULL), APPLICATION_NOT_OURS);
	write_file("answers/log_bin_basename", "/proc/binlog");
	CHECK_EQ(check(NULL), APPLICATION_NOT_OURS);
	freeze_only("/proc");
	CHECK_EQ(check(NULL), -EXDEV);
}

TEST(client_that_ends_is_a_failure)
{
	const char *const argv[] = {"true", NULL};
	const struct client_spec spec = {.program = "true", .argv = argv};
	struct client client;

	set_up();
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(client_start(&client, &spec), 0);
	CHECK_EQ(mysql_places_check(&client, &instance, NULL,
				    client_now_ms() + 20000),
		 -EPIPE);
	client_stop(&client);
}
