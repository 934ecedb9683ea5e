// SPDX-License-Identifier: GPL-2.0
/*
 * A host's end of a stream inside the guest: standard input to a socket, then
 * as many lines back as were sent. ADDRESS is a path or CID:PORT.
 */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return fd;
}

static int connect_vsock(const char *text)
{
	struct sockaddr_vm address = {.svm_family = AF_VSOCK};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 ||
	    sscanf(text, "%u:%u", &address.svm_cid, &address.svm_port) != 2 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	char input[65536], c;
	size_t len, i, lines = 0;
	int fd;

	if (argc != 2)
		return 2;
	fd = *argv[1] == '/' ? connect_unix(argv[1]) : connect_vsock(argv[1]);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	len = fread(input, 1, sizeof(input), stdin);
	for (i = 0; i < len; i++)
		lines += input[i] == '\n';
	if (write(fd, input, len) != (ssize_t)len)
		return 1;
	while (lines && read(fd, &c, 1) == 1) {
		putchar(c);
		lines -= c == '\n';
	}
	return lines ? 1 : 0;
}
