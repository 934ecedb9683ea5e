// SPDX-License-Identifier: GPL-2.0
/* Settings files: qemu-ga's and ours, the same bytes. */
#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

static void load(int (*loader)(struct config *, int, char **))
{
	char program[] = "fuzz";
	char *argv[] = {program, NULL};
	struct config config;

	if (!loader(&config, 1, argv))
		config_free(&config);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return log_init("fuzz", "/dev/null", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("QGA_CONF", "/nonexistent", 1);
	setenv("KFREEZE_CONF", path, 1);
	load(config_load_monitor);
	setenv("QGA_CONF", path, 1);
	setenv("KFREEZE_CONF", "/nonexistent", 1);
	load(config_load_agent);
	close(fd);
	return 0;
}
