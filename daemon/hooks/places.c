// SPDX-License-Identifier: GPL-2.0
/* A copy of only a part of a server's files, or of two moments, is of no use. */
#include "places.h"

#include <errno.h>
#include <string.h>

#include "application.h"
#include "filesystems.h"
#include "instances.h"

void places_add(struct places *places, const char *path)
{
	int frozen = filesystems_has(path);

	places->nr++;
	if (frozen > 0) {
		places->nr_frozen++;
		return;
	}
	if (!frozen)
		places->nr_elsewhere++;
	instance_say(places->instance, "%s: %s", path,
		     frozen ? strerror(-frozen)
			    : "is on a filesystem that is not to be frozen");
}

int places_verdict(const struct places *places)
{
	if (places->nr_elsewhere == places->nr)
		return APPLICATION_NOT_OURS;
	return places->nr_frozen == places->nr ? 0 : -EXDEV;
}
