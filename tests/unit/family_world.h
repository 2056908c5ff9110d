/* SPDX-License-Identifier: MIT */
/*
 * A family of guests beside plain arrays that say what each should have in its memory, and a hart
 * that accesses it through a TLB, so that a missing fence shows.
 */
#ifndef FAMILY_WORLD_H
#define FAMILY_WORLD_H

#include "support.h"

#include "gstage_arena.h"

enum {
	PAGE = 4096,
	GUESTS = 7,
	AREAS = 4,
	LARGE_PAGES = 1024, /* two leaves of 2 MiB */
	SMALL_PAGES = 16,
	PAGES = LARGE_PAGES + 3 * SMALL_PAGES,
	LENT = LARGE_PAGES + 2 * SMALL_PAGES, /* the first lent page */
	LAZY = LARGE_PAGES + SMALL_PAGES,
	HOT = 20, /* pages that most steps pick from */
	TLB = 16,
	RUNS = 6,
	STEPS = 4000,
};

static const uint64_t base_of_area[AREAS] = { 0x80000000, 0x90003000, 0xa0000000, 0xb0001000 };

/* What a guest's memory should be. Lent pages are in `lent` instead, for all guests. */
struct model {
	uint8_t (*now)[PAGE];
	uint8_t (*before)[PAGE];  /* what a rollback makes of it */
	unsigned int prot[PAGES]; /* 0: not mapped */
	bool open;
};

struct tlb_entry {
	uint64_t gpa;
	uint8_t *host; /* NULL: none */
	bool writable;
};

struct member {
	struct hatch_guest guest;
	struct model model;
	struct tlb_entry tlb[TLB];
	bool alive;
};

static struct member members[GUESTS];
static uint8_t lent[SMALL_PAGES * PAGE] __attribute__((aligned(PAGE)));
static uint8_t lent_model[SMALL_PAGES][PAGE];
static unsigned int hot[HOT];
static void *lazy_pages[STEPS];
static unsigned int lazy_used;
static bool scarce; /* memory may run out in this step */

/* ---- Places ---- */

static inline uint64_t gpa_of(unsigned int page)
{
	unsigned int small = page - LARGE_PAGES;

	if (page < LARGE_PAGES)
		return base_of_area[0] + page * (uint64_t)PAGE;
	return base_of_area[1 + small / SMALL_PAGES] + small % SMALL_PAGES * (uint64_t)PAGE;
}

static inline uint8_t *model_page(struct model *m, unsigned int page)
{
	return page >= LENT ? lent_model[page - LENT] : m->now[page];
}

static inline unsigned int pick_page(void)
{
	return random_below(8) ? hot[random_below(HOT)] : (unsigned int)random_below(PAGES);
}

static inline struct member *pick_member(bool alive)
{
	unsigned int at = (unsigned int)random_below(GUESTS);

	for (unsigned int i = 0; i < GUESTS; i++)
		if (members[(at + i) % GUESTS].alive == alive)
			return &members[(at + i) % GUESTS];
	return NULL;
}

/* ---- A guest's own accesses ---- */

static inline void on_fence(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size)
{
	struct member *m = (struct member *)stage;

	for (unsigned int i = 0; i < TLB; i++)
		if (m->tlb[i].gpa - gpa.addr < size)
			m->tlb[i].host = NULL;
}

/* As 18.5.1 tells it: 0 when nothing is mapped. *mask: the bits of the offset. */
static inline uint64_t leaf_at(const struct hatch_gstage *stage, uint64_t gpa, uint64_t *mask)
{
	uint64_t *table = stage->root, pte;

	for (int level = (int)top_of(stage->mode), top = level;; level--) {
		*mask = ((uint64_t)1 << (12 + 9 * level)) - 1;
		pte = table[gpa >> (12 + 9 * level) & (level == top ? 2047 : 511)];
		if (!pte || pte & 0xe)
			return pte;
		assert_int_equal(pte & 0x3ff, PTE_OF_TABLE);
		table = arena_pointer(&arena, hatch_hpa_of(pte >> 10 << 12));
	}
}

/* What the hart finds: in its TLB, else in the tables. */
static inline struct tlb_entry *translate(struct member *m, uint64_t gpa)
{
	struct tlb_entry *entry = &m->tlb[gpa / PAGE % TLB];
	uint64_t page = gpa & ~(uint64_t)(PAGE - 1), mask, pte;

	if (entry->host && entry->gpa == page)
		return entry;
	pte = leaf_at(&m->guest.stage, page, &mask);
	if (!pte)
		return NULL;
	assert_int_equal(pte & 0xd1, PTE_OF_LEAF);
	assert_false(pte & 4 && pte & 1 << 8); /* W and waiting for it */
	entry->gpa = page;
	entry->host = arena_pointer(&arena, hatch_hpa_of((pte >> 10 << 12) + (page & mask)));
	entry->writable = pte & 4;
	return entry;
}

/* An error that is one of memory is possible only in a scarce step. Returns true for success. */
static inline bool succeeds(int error)
{
	if (error == HATCH_ENOMEM && scarce)
		return false;
	assert_int_equal(error, HATCH_OK);
	return true;
}

#endif
