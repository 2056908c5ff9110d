/* SPDX-License-Identifier: MIT */
/* A process's mappings: an array in the order of their addresses. */
#include <string.h>

#include "process_internal.h"

bool process_is_range(uint64_t start, uint64_t size)
{
	return process_is_aligned(start | size) && size && start >= HATCH_PROCESS_FIRST &&
	       start < HATCH_PROCESS_END && size <= HATCH_PROCESS_END - start;
}

/* The first mapping that ends behind the address; `maps` when there is none. */
static unsigned int first_behind(const struct hatch_process_state *s, uint64_t at)
{
	unsigned int low = 0, high = s->maps;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (s->map[middle].end > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct hatch_process_map *process_map_find(struct hatch_process *p, uint64_t at)
{
	unsigned int i = first_behind(&p->state, at);

	return i < p->state.maps && p->state.map[i].start <= at ? &p->state.map[i] : NULL;
}

bool process_map_is_free(const struct hatch_process *p, uint64_t start, uint64_t end)
{
	unsigned int i = first_behind(&p->state, start);

	return i == p->state.maps || p->state.map[i].start >= end;
}

uint64_t process_map_gap(const struct hatch_process *p, uint64_t size)
{
	const struct hatch_process_state *s = &p->state;
	uint64_t end = HATCH_PROCESS_END - HATCH_PROCESS_STACK - HATCH_PAGE_SIZE;

	if (size > end)
		return 0;
	for (unsigned int i = s->maps; i-- > 0 && s->map[i].end > HATCH_PROCESS_BASE;) {
		if (s->map[i].end <= end && end - s->map[i].end >= size)
			return end - size;
		if (s->map[i].start < end)
			end = s->map[i].start;
	}
	return end > HATCH_PROCESS_BASE && end - HATCH_PROCESS_BASE >= size ? end - size : 0;
}

static void insert(struct hatch_process_state *s, unsigned int at,
		   const struct hatch_process_map *map)
{
	memmove(&s->map[at + 1], &s->map[at], (s->maps - at) * sizeof(*map));
	s->map[at] = *map;
	s->maps++;
}

static void take_out(struct hatch_process_state *s, unsigned int at)
{
	s->maps--;
	memmove(&s->map[at], &s->map[at + 1], (s->maps - at) * sizeof(s->map[0]));
}

static bool continues(const struct hatch_process_map *a, const struct hatch_process_map *b)
{
	if (a->end != b->start || a->prot != b->prot || a->file != b->file)
		return false;
	return a->file == HATCH_FILES_NONE || a->offset + (a->end - a->start) == b->offset;
}

/* Joins the mapping with those beside it where one could be the other's end. */
static void join(struct hatch_process_state *s, unsigned int at)
{
	for (unsigned int i = at + 1; i >= at && i > 0; i--) {
		if (i >= s->maps || !continues(&s->map[i - 1], &s->map[i]))
			continue;
		s->map[i - 1].end = s->map[i].end;
		take_out(s, i);
	}
}

int process_map_add(struct hatch_process *p, const struct hatch_process_map *map)
{
	struct hatch_process_state *s = &p->state;
	unsigned int at = first_behind(s, map->start);
	uint64_t size = map->end - map->start;

	if (s->maps == HATCH_PROCESS_MAPS || size > p->config.memory ||
	    s->mapped > p->config.memory - size)
		return -LINUX_ENOMEM;
	insert(s, at, map);
	s->mapped += size;
	join(s, at);
	return 0;
}

static bool is_within(const struct hatch_process_state *s, uint64_t at)
{
	unsigned int i = first_behind(s, at);

	return i < s->maps && s->map[i].start < at;
}

/* Makes `at` a border between two mappings, if it lies within one; there is room for one more. */
static void split(struct hatch_process_state *s, uint64_t at)
{
	unsigned int i = first_behind(s, at);
	struct hatch_process_map upper;

	if (!is_within(s, at))
		return;
	upper = s->map[i];
	upper.offset += at - upper.start;
	upper.start = at;
	s->map[i].end = at;
	insert(s, i + 1, &upper);
}

static int split_both(struct hatch_process_state *s, uint64_t start, uint64_t end)
{
	unsigned int more = (unsigned int)is_within(s, start) + is_within(s, end);

	if (more > HATCH_PROCESS_MAPS - s->maps)
		return -LINUX_ENOMEM;
	split(s, start);
	split(s, end);
	return 0;
}

int process_map_remove(struct hatch_process *p, uint64_t start, uint64_t end)
{
	struct hatch_process_state *s = &p->state;
	unsigned int i;

	if (process_map_is_free(p, start, end))
		return 0;
	if (split_both(s, start, end))
		return -LINUX_ENOMEM;
	for (i = first_behind(s, start); i < s->maps && s->map[i].start < end;) {
		process_page_drop(p, s->map[i].start, s->map[i].end);
		s->mapped -= s->map[i].end - s->map[i].start;
		take_out(s, i);
	}
	return 0;
}

static bool is_covered(const struct hatch_process_state *s, uint64_t start, uint64_t end)
{
	for (unsigned int i = first_behind(s, start); i < s->maps && start < end; i++) {
		if (s->map[i].start > start)
			return false;
		start = s->map[i].end;
	}
	return start >= end;
}

int process_map_protect(struct hatch_process *p, uint64_t start, uint64_t end, unsigned int prot)
{
	struct hatch_process_state *s = &p->state;
	int error = 0;

	if (!is_covered(s, start, end) || split_both(s, start, end))
		return -LINUX_ENOMEM;
	for (unsigned int i = first_behind(s, start); i < s->maps && s->map[i].start < end; i++) {
		s->map[i].prot = prot;
		error = process_page_protect(p, s->map[i].start, s->map[i].end, prot);
		if (error)
			return error;
	}
	for (unsigned int i = s->maps; i-- > 1;)
		join(s, i);
	return 0;
}
