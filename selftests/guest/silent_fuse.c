// SPDX-License-Identifier: GPL-2.0
/* silent_fuse DEVICE DIRECTORY: a fuse filesystem on a disk, of a server that
 * never answers. Says "mounted", then waits to be killed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open("/dev/fuse", O_RDWR);
	char options[128];

	if (argc != 3 || fd < 0) {
		perror("/dev/fuse");
		return EXIT_FAILURE;
	}
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,blksize=512", fd);
	if (mount(argv[1], argv[2], "fuseblk", 0, options)) {
		perror("mount");
		return EXIT_FAILURE;
	}
	puts("mounted");
	fflush(stdout);
	pause();
	return EXIT_SUCCESS;
}
