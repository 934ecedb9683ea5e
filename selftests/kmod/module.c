// SPDX-License-Identifier: GPL-2.0
/* The module itself, as something that comes and goes. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk.h"

#define PATIENCE_MS 10000

int module_remove(void)
{
	return syscall(SYS_delete_module, "kfreeze", O_NONBLOCK) ? -errno : 0;
}

/* Its works hold it a little longer than the owners; nobody tells the end. */
bool module_unload(void)
{
	long long until = clock_ms() + PATIENCE_MS;

	while (module_remove()) {
		if (clock_ms() > until)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

void module_load(void)
{
	if (RUN("insmod", "/lib/modules/kfreeze.ko") == 0)
		return;
	printf("# cannot load the module\n");
	exit(EXIT_FAILURE);
}
