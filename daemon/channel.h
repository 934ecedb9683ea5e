/* SPDX-License-Identifier: GPL-2.0 */
/* The way to the host: bytes from whoever is there, bytes to him. */
#ifndef KFREEZE_CHANNEL_H
#define KFREEZE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct channel;

struct channel_ops {
	void (*received)(void *data, const char *bytes, size_t len);
	/* Nobody is at the other end. @closed: what comes next is from somebody
	 * else. A port tells too late to know: its next host may have been
	 * heard already. */
	void (*detached)(void *data, bool closed);
};

struct channel_address {
	enum config_method method;
	const char *path; /* device, socket or CID:PORT */
	int listener; /* a listening socket to use instead, or -1 */
	bool wait; /* for a device that is not there yet */
};

/* @address->path must outlive the channel. 0 or -errno, logged. */
int channel_open(const struct channel_address *address,
		 const struct channel_ops *ops, void *data,
		 struct channel **channel);
void channel_close(struct channel *channel);

/* Readable when channel_dispatch() has something to do. */
int channel_fd(const struct channel *channel);
void channel_dispatch(struct channel *channel);

/* Never blocks and never calls back. Nothing is read from the host before all
 * that was sent has left, so what waits here is bounded by what was read. */
void channel_send(struct channel *channel, const char *bytes, size_t len);

/* A host has said hello: what has not left was for the one before, but for the
 * rest of a line that was begun. What comes next is for this one, even if the
 * port seems closed for a while: see detached(). */
void channel_greet(struct channel *channel);

/* A device that went away is not opened again while @held. */
void channel_hold(struct channel *channel, bool held);

#endif
