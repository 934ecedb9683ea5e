// SPDX-License-Identifier: GPL-2.0
/* Listening sockets; only root may connect to the one in the filesystem. */
#include "channel_listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static int parse_unix(const char *path, union address *address, socklen_t *len)
{
	address->un = (struct sockaddr_un){.sun_family = AF_UNIX};
	*len = sizeof(address->un);
	if (strlen(path) >= sizeof(address->un.sun_path))
		return -ENAMETOOLONG;
	strcpy(address->un.sun_path, path);
	return 0;
}

static int parse_vsock(const char *path, union address *address, socklen_t *len)
{
	unsigned int cid, port;
	char rest;

	address->vm = (struct sockaddr_vm){.svm_family = AF_VSOCK};
	*len = sizeof(address->vm);
	if (sscanf(path, "%u:%u%c", &cid, &port, &rest) != 2)
		return -EINVAL;
	address->vm.svm_cid = cid;
	address->vm.svm_port = port;
	return 0;
}

/* A socket nobody listens on is what a killed agent has left. */
static void remove_stale(const union address *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, &address->any, len) && errno == ECONNREFUSED)
		unlink(address->un.sun_path);
	close(fd);
}

static int bind_and_listen(int fd, const union address *address, socklen_t len)
{
	mode_t mask = umask(0177);
	int failed = bind(fd, &address->any, len);

	umask(mask);
	if (failed || listen(fd, SOMAXCONN))
		return -errno;
	return 0;
}

int channel_listener_open(enum config_method method, const char *path)
{
	bool vsock = method == CONFIG_VSOCK_LISTEN;
	union address address;
	socklen_t len;
	int fd, err;

	err = vsock ? parse_vsock(path, &address, &len)
		    : parse_unix(path, &address, &len);
	if (err)
		return err;
	fd = socket(address.any.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!vsock)
		remove_stale(&address, len);
	err = bind_and_listen(fd, &address, len);
	if (!err)
		return fd;
	close(fd);
	return err;
}
