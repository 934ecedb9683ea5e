/* SPDX-License-Identifier: GPL-2.0 */
/* Receiving on SOCK_SEQPACKET without losing the last packet. */
#ifndef KFREEZE_SEQPACKET_H
#define KFREEZE_SEQPACKET_H

#include <errno.h>
#include <sys/socket.h>

static inline ssize_t seqpacket_receive_once(int fd, void *packet, size_t size,
					     int flags)
{
	ssize_t len;

	do {
		len = recv(fd, packet, size, flags);
	} while (len < 0 && errno == EINTR);
	return len;
}

/*
 * recv() that is not interrupted and reports the end only after the last
 * packet. The kernel looks for a packet first and then whether the peer is
 * gone: one that sends and closes between the two seems to have sent nothing.
 * What was sent before the end is there when asked for again.
 */
static inline ssize_t seqpacket_receive(int fd, void *packet, size_t size,
					int flags)
{
	ssize_t len = seqpacket_receive_once(fd, packet, size, flags);

	return len ? len : seqpacket_receive_once(fd, packet, size, flags);
}

#endif
