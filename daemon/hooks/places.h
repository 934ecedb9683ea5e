/* SPDX-License-Identifier: GPL-2.0 */
/* Where a server has its files, and whether all of them will be frozen. */
#ifndef KFREEZE_HOOKS_PLACES_H
#define KFREEZE_HOOKS_PLACES_H

struct instance;

struct places {
	const struct instance *instance;
	unsigned int nr, nr_frozen, nr_elsewhere;
};

/* One more. If it will not be frozen, or is not there, that is said. */
void places_add(struct places *places, const char *path);

/* Of all that were added: 0 if they will be frozen, APPLICATION_NOT_OURS if
 * none will, else -EXDEV. */
int places_verdict(const struct places *places);

#endif
