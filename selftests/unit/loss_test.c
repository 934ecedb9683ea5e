// SPDX-License-Identifier: GPL-2.0
/* A loss that is kept for whoever comes after this process. */
/* link: loss log */
/* libs: libsystemd */
#include "ktap.h"

#include "log.h"
#include "loss.h"

static char directory[] = "/dev/shm/loss_test.XXXXXX";
static char path[64];

static void setup(void)
{
	CHECK(mkdtemp(directory) != NULL);
	/* the directory below it is made */
	snprintf(path, sizeof(path), "%s/kfreeze/loss", directory);
}

static void teardown(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	CHECK_EQ(rmdir(directory), 0);
}

/* A monitor which does that and is killed. */
static void run_monitor(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		loss_init(path);
		what();
		raise(SIGKILL);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
}

static void freeze(void)
{
	CHECK(!loss_is_untold());
	CHECK_STREQ(loss_text(), "");
	loss_expect(60000);
	CHECK(!loss_is_untold());
	CHECK_STREQ(loss_text(), "");
}

static void freeze_and_lose(void)
{
	freeze();
	loss_set(5000, "out of time");
	CHECK(loss_is_untold());
}

static void freeze_and_thaw(void)
{
	freeze();
	loss_forget();
}

static void forget(void)
{
	CHECK(loss_is_untold());
	loss_forget();
	CHECK(!loss_is_untold());
}

TEST(death_while_frozen_is_a_loss)
{
	setup();
	run_monitor(freeze);
	loss_init(path);
	CHECK(loss_is_untold());
	CHECK(strstr(loss_text(), "fsfreeze is limited up to 60 seconds: "
				  "the freeze was lost after 20"));
	CHECK(strstr(loss_text(), "Z: kfreeze-monitor died"));
	teardown();
}

TEST(loss_is_told_by_the_next)
{
	setup();
	run_monitor(freeze_and_lose);
	loss_init(path);
	CHECK(strstr(loss_text(), "fsfreeze is limited up to 5 seconds: "
				  "the freeze was lost at 20"));
	CHECK(strstr(loss_text(), "Z: out of time"));
	teardown();
}

TEST(loss_is_told_once)
{
	setup();
	run_monitor(freeze_and_lose);
	run_monitor(forget);
	loss_init(path);
	CHECK(!loss_is_untold());
	teardown();
}

TEST(thawed_is_no_loss)
{
	setup();
	run_monitor(freeze_and_thaw);
	loss_init(path);
	CHECK(!loss_is_untold());
	CHECK_STREQ(loss_text(), "");
	teardown();
}

/* A store into it would wait for the thaw. */
TEST(file_on_a_disk_is_not_used)
{
	char disk[] = "/var/tmp/loss_test.XXXXXX";
	int fd = mkstemp(disk);

	CHECK(fd >= 0);
	CHECK_EQ(log_init("test", "/dev/null", false), 0);
	loss_init(disk);
	loss_set(5000, "out of time");
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	unlink(disk);
}

TEST(without_a_file_it_lives_in_memory)
{
	CHECK_EQ(log_init("test", "/dev/null", false), 0);
	loss_init("/no/such/directory/loss");
	CHECK(!loss_is_untold());
	loss_set(5000, "out of time");
	CHECK(strstr(loss_text(), "out of time"));
	loss_forget();
	CHECK_STREQ(loss_text(), "");
}
