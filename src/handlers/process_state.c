/* SPDX-License-Identifier: MIT */
/* A process's state as bytes: what a transaction puts back. */
#include <string.h>

#include "process_internal.h"

static void save(void *arg, void *to)
{
	struct hatch_process *p = arg;

	process_page_save(p);
	memcpy(to, &p->state, sizeof(p->state));
}

static bool is_file(const struct hatch_process *p, uint32_t file)
{
	return file == HATCH_FILES_NONE || file < p->config.files->count;
}

static bool are_maps_sound(const struct hatch_process *p, const struct hatch_process_state *s)
{
	uint64_t end = HATCH_PROCESS_FIRST, mapped = 0;

	if (s->maps > HATCH_PROCESS_MAPS)
		return false;
	for (unsigned int i = 0; i < s->maps; i++) {
		const struct hatch_process_map *map = &s->map[i];

		if (map->start < end || map->end <= map->start || !is_file(p, map->file) ||
		    !process_is_range(map->start, map->end - map->start) ||
		    map->offset > INT64_MAX || (map->prot & ~(unsigned int)HATCH_PROT_ALL) ||
		    ((map->prot & HATCH_PROT_WRITE) && (map->prot & HATCH_PROT_EXEC)))
			return false;
		mapped += map->end - map->start;
		end = map->end;
	}
	return mapped == s->mapped && mapped <= p->config.memory;
}

/* Of which pages there are the last save tells, so no other state can be brought back. */
static bool is_last_saved(const struct hatch_process *p, const struct hatch_process_state *s)
{
	return s->maps == p->saved_maps && !memcmp(s->map, p->saved, s->maps * sizeof(s->map[0]));
}

/* What openat could have opened. The console's place is which of its three streams it is. */
static bool is_stream_sound(const struct hatch_process *p, const struct hatch_process_stream *s)
{
	if (!s->users)
		return true;
	if (s->file == HATCH_FILES_NONE)
		return s->at < 3 && !s->path_only;
	return is_file(p, s->file) && s->at <= INT64_MAX && process_may_open(p, s->file);
}

static bool are_files_sound(const struct hatch_process *p, const struct hatch_process_state *s)
{
	unsigned int users[HATCH_PROCESS_OPEN] = { 0 };

	for (unsigned int i = 0; i < HATCH_PROCESS_OPEN; i++) {
		if (s->number[i].stream > HATCH_PROCESS_OPEN)
			return false;
		if (s->number[i].stream)
			users[s->number[i].stream - 1]++;
	}
	for (unsigned int i = 0; i < HATCH_PROCESS_OPEN; i++)
		if (s->stream[i].users != users[i] || !is_stream_sound(p, &s->stream[i]))
			return false;
	return s->folder < p->config.files->count &&
	       process_kind(p, s->folder) == HATCH_FILE_FOLDER;
}

static bool is_heap_sound(const struct hatch_process_state *s)
{
	return s->heap <= s->heap_end && s->heap_end <= HATCH_PROCESS_END && s->random;
}

/* Which pages are ours is known for this vcpu's guest only: a clone's would be anyone's. */
static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct hatch_process_state s;
	struct hatch_process *p = arg;

	if (vcpu != p->vcpu)
		return HATCH_ENOTSUP;
	memcpy(&s, from, sizeof(s));
	if (!are_maps_sound(p, &s) || !are_files_sound(p, &s) || !is_heap_sound(&s))
		return HATCH_EFORMAT;
	if (!is_last_saved(p, &s))
		return HATCH_ENOTSUP;
	process_page_restore(p, &s);
	return 0;
}

struct hatch_state process_state_of(struct hatch_process *p)
{
	return (struct hatch_state){
		.name = "process",
		.version = 1,
		.size = sizeof(p->state),
		.save = save,
		.restore = restore,
		.arg = p,
	};
}
