/* SPDX-License-Identifier: MIT */
/*
 * What guests that share memory have in common. Pages that were copied come from a pool, which
 * counts for each how many translations lead to it.
 */
#ifndef GUEST_SHARE_H
#define GUEST_SHARE_H

#include <hatch/guest.h>

#include "gstage_tables.h"

enum {
	POOL_PAGES = 64, /* of a chunk, the first of which is its header */
	POOL_CHUNK_SIZE = POOL_PAGES << HATCH_PAGE_SHIFT, /* bytes, and its alignment */
	POOL_SLOT_SIZE = 64,  /* bytes: a header has room for one for each page */
	FAMILY_BLOCKS = 1001, /* 0 is none */
};

/*
 * A page of the pool; this is its slot in the header of its chunk, and the page itself is found
 * from it by arithmetic.
 * Invariants: `refs` counts the leaves that lead to the page and the records whose `old` does.
 * `transaction` is not 0 exactly while the page's own record is in a guest's log. The page is
 * free when both are 0.
 */
struct hatch_pool_page {
	uint32_t refs;
	uint32_t transaction;
	uint64_t pte;			       /* its address as an entry has it, and no flags */
	struct hatch_pool_page *next;	       /* free, or about to be */
	struct hatch_pool_page *older, *newer; /* in the log */
	/* The record: at gpa was `old`, until this page took its place in *entry. */
	uint64_t gpa;
	uint64_t *entry;
	uint64_t old; /* 0: has been put back */
};

/*
 * 256 KiB of pages. Takes the place of the first slot.
 * Invariant: a chunk is in its family's list exactly while a page of it is free.
 */
struct pool_chunk {
	struct pool_chunk *next, *previous;
	struct hatch_pool_page *free;
	uint64_t pte;  /* of its first byte */
	uint32_t used; /* pages that are not free */
};

/*
 * Guests that came from each other by cloning. `lock` guards all of it, and the tables of all of
 * them (hatch_gstage's `common`): a leaf of one is looked at by another, and both may run.
 */
struct hatch_family {
	struct hatch_lock lock;
	const struct hatch_memory *memory;
	uint32_t guests;
	uint32_t transactions;		/* numbers given so far */
	struct pool_chunk *open;	/* those with a free page */
	struct hatch_pool_page *dying;	/* free as soon as the fence has been told */
	uint32_t chunks;		/* all that there are */
	uint32_t empty;			/* of these without a used page */
	uint32_t keep;			/* so many empty ones are kept for the next use */
	uint32_t owners[FAMILY_BLOCKS]; /* guests that have a block of owned RAM */
};

_Static_assert(sizeof(struct hatch_pool_page) <= POOL_SLOT_SIZE, "a slot");
_Static_assert(sizeof(struct pool_chunk) <= POOL_SLOT_SIZE, "the first slot");
_Static_assert(sizeof(struct hatch_family) <= HATCH_PAGE_SIZE, "a family takes one page");

static inline struct pool_chunk *chunk_of(const void *in)
{
	return (struct pool_chunk *)((uintptr_t)in & ~(uintptr_t)(POOL_CHUNK_SIZE - 1));
}

/* A slot's distance from the chunk is to 64 bytes what its page's is to 4 KiB. */
static inline void *pool_data(struct hatch_pool_page *page)
{
	uintptr_t at = (uintptr_t)page & (HATCH_PAGE_SIZE - 1);

	return (char *)chunk_of(page) + at * (HATCH_PAGE_SIZE / POOL_SLOT_SIZE);
}

static inline struct hatch_pool_page *pool_slot(struct pool_chunk *chunk, size_t index)
{
	return (struct hatch_pool_page *)((char *)chunk + index * POOL_SLOT_SIZE);
}

/* The slot of a page that a leaf with PTE_POOL leads to. */
static inline struct hatch_pool_page *pool_page_of(const struct hatch_gstage *stage, uint64_t pte)
{
	void *data = table_of(stage, pte);
	uintptr_t at = (uintptr_t)data & (POOL_CHUNK_SIZE - 1);

	return pool_slot(chunk_of(data), at >> HATCH_PAGE_SHIFT);
}

struct hatch_pool_page *hatch_pool_take_any(struct hatch_family *family);

/*
 * A page with one reference and undefined contents, or NULL. Most come from a chunk that is in
 * the list before and after: that is short enough to be in line.
 */
static inline struct hatch_pool_page *pool_take(struct hatch_family *family)
{
	struct pool_chunk *chunk = family->open;
	struct hatch_pool_page *page = chunk ? chunk->free : NULL;

	if (!page || !page->next || !chunk->used)
		return hatch_pool_take_any(family);
	chunk->free = page->next;
	chunk->used++;
	page->refs = 1;
	return page;
}

/* Gives a page back to which nothing leads any more. */
void hatch_pool_give(struct hatch_family *family, struct hatch_pool_page *page);

/* Gives empty chunks back to the memory until `keep` are left. */
void hatch_pool_trim(struct hatch_family *family, uint32_t keep);

/* hatch_guest_unshare, with the lock held. */
int hatch_guest_mend(struct hatch_guest *guest, hatch_gpa gpa);

/* Makes the guest one of a family, alone in it; no other hart is in the guest. Errors: HATCH_ENOMEM. */
int hatch_family_join(struct hatch_guest *guest);

/* Whether the region's RAM has to go back to the memory now that the guest ends. */
bool hatch_family_disowns(struct hatch_guest *guest, const struct hatch_region *region);

/* The guest has ended, its tables are gone. */
void hatch_family_leave(struct hatch_guest *guest);

/* Takes W from all leaves that may be shared, so that the first store to each faults. */
void hatch_gstage_withhold(struct hatch_guest *guest);

/*
 * Gives an empty stage a copy of all tables of the guest, where leaves that may be shared are
 * without W in both. Errors: HATCH_ENOMEM (a part is there: raze it).
 */
int hatch_gstage_copy(struct hatch_gstage *to, struct hatch_guest *from);

/* Whether what a region maps is shared copy-on-write. NULL: what no region contains. */
static inline bool region_is_shareable(const struct hatch_region *region)
{
	return region && (region->owned || !region->host);
}

/* As hatch_guest_region, which belongs to a file that needs this one. */
static inline const struct hatch_region *region_at(const struct hatch_guest *guest, uint64_t gpa)
{
	for (unsigned int i = 0; i < guest->regions; i++)
		if (gpa - guest->region[i].base.addr < guest->region[i].size)
			return &guest->region[i];
	return NULL;
}

#endif
