// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the guest's time over a virtio port: for every byte of the host's eight
 * bytes, CLOCK_MONOTONIC in nanoseconds, in the byte order of both.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct pollfd port = {.events = POLLIN};
	struct timespec now;
	uint64_t ns;
	char byte;

	if (argc != 2) {
		fprintf(stderr, "usage: clock PORT\n");
		return 2;
	}
	port.fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (port.fd < 0) {
		perror(argv[1]);
		return 1;
	}
	while (poll(&port, 1, -1) == 1 && read(port.fd, &byte, 1) == 1) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
		if (write(port.fd, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
	perror(argv[1]);
	return 1;
}
