// SPDX-License-Identifier: GPL-2.0
/* Character devices, made raw. */
#include "channel_device.h"

#include <errno.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

/* A modem line has no end of file and no flow control that we could trust. */
static int make_raw(int fd)
{
	struct termios settings;

	if (tcgetattr(fd, &settings))
		return -errno;
	settings.c_iflag = 0;
	settings.c_oflag = 0;
	settings.c_lflag = 0;
	settings.c_cflag |= CREAD | CLOCAL;
	cfsetspeed(&settings, B38400);
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	tcflush(fd, TCIFLUSH);
	return tcsetattr(fd, TCSANOW, &settings) ? -errno : 0;
}

int channel_device_open(enum config_method method, const char *path)
{
	int fd, err;

	fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (method != CONFIG_ISA_SERIAL)
		return fd;
	err = make_raw(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}
