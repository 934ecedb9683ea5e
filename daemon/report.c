// SPDX-License-Identifier: GPL-2.0
/*
 * The last cycles in a ring. Records are added before the freeze and after the
 * thaw, and filled in place meanwhile: nothing is allocated while frozen.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

struct cycle {
	struct report_record *records; /* the first one is the REPORT_CYCLE */
	size_t nr, room;
};

static struct cycle ring[REPORT_MAX_CYCLES];
static size_t nr_started; /* the newest is ring[(nr_started - 1) % MAX] */

static struct cycle *newest(void)
{
	return nr_started ? &ring[(nr_started - 1) % REPORT_MAX_CYCLES] : NULL;
}

static struct report_record *add_record(struct cycle *cycle, enum report_kind kind)
{
	struct report_record *records;
	size_t room;

	if (!cycle || cycle->nr == REPORT_MAX_RECORDS ||
	    (kind != REPORT_CYCLE && !cycle->nr))
		return NULL;
	if (cycle->nr == cycle->room) {
		room = cycle->room + 32;
		records = reallocarray(cycle->records, room, sizeof(*records));
		if (!records)
			return NULL;
		cycle->records = records;
		cycle->room = room;
	}
	records = &cycle->records[cycle->nr++];
	memset(records, 0, sizeof(*records));
	records->kind = kind;
	return records;
}

void report_start(uint32_t id)
{
	struct cycle *cycle = &ring[nr_started++ % REPORT_MAX_CYCLES];
	struct report_record *record;

	free(cycle->records);
	*cycle = (struct cycle){0};
	record = add_record(cycle, REPORT_CYCLE);
	if (record)
		record->cycle.id = id;
}

struct report_cycle *report_cycle(void)
{
	struct cycle *cycle = newest();

	return cycle && cycle->nr ? &cycle->records[0].cycle : NULL;
}

struct report_target *report_add_target(void)
{
	struct report_record *record = add_record(newest(), REPORT_TARGET);

	return record ? &record->target : NULL;
}

struct report_skip *report_add_skip(void)
{
	struct report_record *record = add_record(newest(), REPORT_SKIP);

	return record ? &record->skip : NULL;
}

struct report_hook *report_add_hook(void)
{
	struct report_record *record = add_record(newest(), REPORT_HOOK);

	return record ? &record->hook : NULL;
}

struct report_target *report_target(size_t index)
{
	struct cycle *cycle = newest();
	size_t i;

	for (i = 0; cycle && i < cycle->nr; i++) {
		if (cycle->records[i].kind == REPORT_TARGET && index-- == 0)
			return &cycle->records[i].target;
	}
	return NULL;
}

const struct report_record *report_get(size_t index)
{
	const struct cycle *cycle;
	size_t i;

	for (i = 0; i < REPORT_MAX_CYCLES; i++) {
		cycle = &ring[(nr_started + i) % REPORT_MAX_CYCLES];
		if (index < cycle->nr)
			return &cycle->records[index];
		index -= cycle->nr;
	}
	return NULL;
}

void report_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len < size) {
		memcpy(out, text, len + 1);
		return;
	}
	memcpy(out, text, size - 4);
	strcpy(out + size - 4, "...");
}
