/* SPDX-License-Identifier: MIT */
/* A process's system calls about memory. */
#include "process_internal.h"

enum map_flag {
	MAP_SHARED = 0x01,
	MAP_PRIVATE = 0x02,
	MAP_KIND = 0x0f,
	MAP_FIXED = 0x10,
	MAP_ANONYMOUS = 0x20,
	MAP_FREE = 0x100000, /* MAP_FIXED_NOREPLACE */
};

enum { ADVICE_DROP = 4 /* MADV_DONTNEED */ };

/* PROT_READ, PROT_WRITE and PROT_EXEC have the numbers of enum hatch_prot. */
static bool is_sound(uint64_t prot)
{
	return !(prot & ~(uint64_t)HATCH_PROT_ALL);
}

static bool is_write_and_execute(uint64_t prot)
{
	return (prot & HATCH_PROT_WRITE) && (prot & HATCH_PROT_EXEC);
}

/* Whoever writes may read: the hardware knows no other way. */
static unsigned int rights(uint64_t prot)
{
	return (unsigned int)(prot & HATCH_PROT_WRITE ? prot | HATCH_PROT_READ : prot);
}

static int grow_heap(struct hatch_process *p, uint64_t from, uint64_t to)
{
	const struct hatch_process_map map = {
		.start = from,
		.end = to,
		.file = HATCH_FILES_NONE,
		.prot = HATCH_PROT_READ | HATCH_PROT_WRITE,
	};

	if (!process_is_range(from, to - from) || !process_map_is_free(p, from, to))
		return -LINUX_ENOMEM;
	return process_map_add(p, &map);
}

/* Answers with where the heap ends then: where it ended before if it cannot be moved. */
int64_t process_brk(struct hatch_process *p, const uint64_t a[8])
{
	struct hatch_process_state *s = &p->state;
	uint64_t from = process_page_up(s->heap_end), to = process_page_up(a[0]);
	int error = 0;

	if (a[0] < s->heap || a[0] > HATCH_PROCESS_END)
		return (int64_t)s->heap_end;
	if (to > from)
		error = grow_heap(p, from, to);
	else if (to < from)
		error = process_map_remove(p, to, from);
	if (!error)
		s->heap_end = a[0];
	return (int64_t)s->heap_end;
}

/* What is mapped: the file and where in it. */
static int choose_file(struct hatch_process *p, const uint64_t a[8], struct hatch_process_map *map)
{
	const struct hatch_process_stream *stream;

	map->file = HATCH_FILES_NONE;
	if (a[3] & MAP_ANONYMOUS)
		return 0;
	stream = process_stream(p, a[4]);
	if (!stream || stream->path_only)
		return -LINUX_EBADF;
	if (stream->file == HATCH_FILES_NONE ||
	    process_kind(p, stream->file) != HATCH_FILE_REGULAR ||
	    ((a[3] & MAP_KIND) == MAP_SHARED && (a[2] & HATCH_PROT_WRITE)))
		return -LINUX_EACCES;
	if (!process_is_aligned(a[5]) || a[5] > INT64_MAX - HATCH_PROCESS_END)
		return -LINUX_EINVAL;
	map->file = stream->file;
	map->offset = a[5];
	return 0;
}

/* Where it goes; what is there must go away for MAP_FIXED. */
static int64_t choose_place(struct hatch_process *p, uint64_t hint, uint64_t size, uint64_t flags)
{
	bool sound = process_is_range(hint, size);

	if (flags & (MAP_FIXED | MAP_FREE)) {
		if (!sound)
			return process_is_aligned(hint) ? -LINUX_ENOMEM : -LINUX_EINVAL;
		if ((flags & MAP_FREE) && !process_map_is_free(p, hint, hint + size))
			return -LINUX_EEXIST;
		return (int64_t)hint;
	}
	if (sound && process_map_is_free(p, hint, hint + size))
		return (int64_t)hint;
	hint = process_map_gap(p, size);
	return hint ? (int64_t)hint : -LINUX_ENOMEM;
}

int64_t process_mmap(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t size = process_page_up(a[1]), flags = a[3];
	struct hatch_process_map map = { .prot = rights(a[2]) };
	int64_t at;
	int error;

	if (!a[1] || !is_sound(a[2]) ||
	    ((flags & MAP_KIND) != MAP_SHARED && (flags & MAP_KIND) != MAP_PRIVATE))
		return -LINUX_EINVAL;
	if (is_write_and_execute(a[2]))
		return -LINUX_EACCES;
	error = choose_file(p, a, &map);
	if (error)
		return error;
	at = choose_place(p, a[0], size, flags);
	if (at < 0)
		return at;
	map.start = (uint64_t)at;
	map.end = map.start + size;
	error = process_map_remove(p, map.start, map.end);
	if (!error)
		error = process_map_add(p, &map);
	return error ? error : at;
}

int64_t process_munmap(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t size = process_page_up(a[1]);

	if (!process_is_range(a[0], size))
		return -LINUX_EINVAL;
	return process_map_remove(p, a[0], a[0] + size);
}

int64_t process_mprotect(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t size = process_page_up(a[1]);

	if (!process_is_aligned(a[0]) || !is_sound(a[2]))
		return -LINUX_EINVAL;
	if (is_write_and_execute(a[2]))
		return -LINUX_EACCES;
	if (!size)
		return 0;
	if (!process_is_range(a[0], size))
		return -LINUX_ENOMEM;
	return process_map_protect(p, a[0], a[0] + size, rights(a[2]));
}

/* Advice is only advice, but for the one that programs rely on to find zeros afterwards. */
int64_t process_madvise(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t size = process_page_up(a[1]), end = a[0] + size;

	if (!process_is_aligned(a[0]))
		return -LINUX_EINVAL;
	if (!size)
		return 0;
	if (!process_is_range(a[0], size))
		return -LINUX_ENOMEM;
	if (a[2] != ADVICE_DROP)
		return 0;
	for (uint64_t at = a[0]; at < end;) {
		const struct hatch_process_map *map = process_map_find(p, at);

		if (!map)
			return -LINUX_ENOMEM;
		process_page_drop(p, at, map->end < end ? map->end : end);
		at = map->end;
	}
	return 0;
}
