/* SPDX-License-Identifier: MIT */
/* For tests of guests that share memory: a guest with RAM, and room for a clone of it. */
#ifndef GUEST_PAIR_H
#define GUEST_PAIR_H

#include "support.h"

#include "gstage_arena.h"

enum { PAGE = 4096, ROOT_AND_TABLE = 16384 + PAGE, CHUNK = 64 * PAGE };

#define RAM   0x80000000ULL
#define SMALL 0x90000000ULL
#define LAZY  0xa0000000ULL
#define LENT  0xb0000000ULL

static struct hatch_guest guest, clone;

static inline int setup(void **state)
{
	(void)state;
	guest = clone = (struct hatch_guest){ .regions = 0 };
	begin(&guest.stage, HATCH_SV39X4);
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(RAM), 4 * MIB), HATCH_OK);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	hatch_guest_fini(&clone);
	hatch_guest_fini(&guest);
	assert_int_equal(arena.bytes, 0);
	return 0;
}

static inline void add_small(void)
{
	assert_int_equal(hatch_guest_add_ram(&guest, hatch_gpa_of(SMALL), 4 * PAGE), HATCH_OK);
}

static inline void make_clone(void)
{
	assert_int_equal(hatch_guest_clone(&clone, &guest), HATCH_OK);
}

static inline int poke(struct hatch_guest *g, uint64_t gpa, uint64_t value)
{
	return hatch_guest_write(g, hatch_gpa_of(gpa), &value, sizeof(value));
}

static inline void expect(struct hatch_guest *g, uint64_t gpa, uint64_t expected)
{
	uint64_t value = ~expected;

	assert_int_equal(hatch_guest_read(g, hatch_gpa_of(gpa), &value, sizeof(value)), HATCH_OK);
	assert_int_equal(value, expected);
}

static inline struct hatch_mapping look(struct hatch_guest *g, uint64_t gpa)
{
	struct hatch_mapping m;

	assert_int_equal(hatch_gstage_lookup(&g->stage, hatch_gpa_of(gpa), &m), HATCH_OK);
	return m;
}

static inline int unshare(struct hatch_guest *g, uint64_t gpa)
{
	arena.fences = 0;
	return hatch_guest_unshare(g, hatch_gpa_of(gpa));
}

static inline void *map_lazy(uint64_t gpa, int fill)
{
	void *page = arena_alloc(&arena, PAGE, PAGE);

	memset(page, fill, PAGE);
	assert_int_equal(map(&guest.stage, gpa, arena_physical(&arena, page).addr, PAGE, 7), 0);
	return page;
}

#endif
