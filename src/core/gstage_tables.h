/* SPDX-License-Identifier: MIT */
/*
 * The shape of G-stage tables, shared by who reads them (gstage.c) and who writes them
 * (gstage_edit.c, gstage_share.c; guest_share.c and guest_undo.c single leaves).
 */
#ifndef GSTAGE_TABLES_H
#define GSTAGE_TABLES_H

#include <hatch/gstage.h>

/* Page-table entry (Privileged ISA 20240411, 10.3.1 and 18.5.1). */
enum pte {
	PTE_V = 1 << 0,
	PTE_R = 1 << 1,
	PTE_W = 1 << 2,
	PTE_X = 1 << 3,
	PTE_U = 1 << 4, /* every G-stage access counts as a user access: without U no leaf works */
	PTE_A = 1 << 6, /* A and D are preset: otherwise the first access or store would trap */
	PTE_D = 1 << 7,
	/* Left to software (10.3.1, RSW): */
	PTE_COW = 1 << 8,  /* leaf: writable, but W waits for hatch_guest_unshare; never with W */
	PTE_POOL = 1 << 9, /* leaf of 4 KiB: its page is the pool's and counts its owners */
	PTE_LEAF = PTE_R | PTE_W | PTE_X,
	PTE_FLAGS = (1 << 10) - 1,
	PTE_PPN_SHIFT = 10,
};

enum {
	INDEX_BITS = 9,
	ENTRIES = 1 << INDEX_BITS,
	ROOT_ENTRIES = 4 * ENTRIES,
	ROOT_SIZE = ROOT_ENTRIES * 8, /* bytes */
	HPA_BITS = 56,		      /* a PPN of 44 bits */
};

static inline unsigned int top_level(const struct hatch_gstage *stage)
{
	return stage->mode == HATCH_SV48X4 ? 3 : 2;
}

static inline unsigned int level_shift(unsigned int level)
{
	return HATCH_PAGE_SHIFT + INDEX_BITS * level;
}

/* Bytes that one entry of a table of this level translates. */
static inline uint64_t level_size(unsigned int level)
{
	return (uint64_t)1 << level_shift(level);
}

static inline uint64_t address_limit(const struct hatch_gstage *stage)
{
	return ROOT_ENTRIES * level_size(top_level(stage));
}

/* The end of the address space wraps to entry 0: a boundary there is aligned to all levels. */
static inline uint64_t *entry_of(const struct hatch_gstage *stage, uint64_t *table,
				 unsigned int level, uint64_t gpa)
{
	uint64_t entries = level == top_level(stage) ? ROOT_ENTRIES : ENTRIES;

	return &table[(gpa >> level_shift(level)) % entries];
}

/* Where the part of [gpa, end) that one entry of this level translates ends. */
static inline uint64_t entry_end(unsigned int level, uint64_t gpa, uint64_t end)
{
	uint64_t next = (gpa & ~(level_size(level) - 1)) + level_size(level);

	return next < end ? next : end;
}

static inline bool is_leaf(uint64_t pte)
{
	return pte & PTE_LEAF;
}

static inline uint64_t pte_of(hatch_hpa hpa, uint64_t flags)
{
	return hpa.addr >> HATCH_PAGE_SHIFT << PTE_PPN_SHIFT | flags;
}

static inline hatch_hpa hpa_of_pte(uint64_t pte)
{
	return hatch_hpa_of(pte >> PTE_PPN_SHIFT << HATCH_PAGE_SHIFT);
}

static inline uint64_t *table_of(const struct hatch_gstage *stage, uint64_t pte)
{
	return stage->memory->pointer(stage->memory->arg, hpa_of_pte(pte));
}

/* A lookup takes the lock as well, which is no part of what is looked at. */
static inline struct hatch_lock *lock_of(const struct hatch_gstage *stage)
{
	return stage->common ? stage->common : (struct hatch_lock *)&stage->own;
}

static inline void lock_stage(const struct hatch_gstage *stage)
{
	hatch_lock_acquire(lock_of(stage));
}

static inline void unlock_stage(const struct hatch_gstage *stage)
{
	hatch_lock_release(lock_of(stage));
}

/* The root's entries that may be in use, widened to multiples of 8. */
static inline void root_span(const struct hatch_gstage *stage, unsigned int *first,
			     unsigned int *end)
{
	*first = stage->root_first & ~7U;
	*end = (stage->root_end + 7U) & ~7U;
}

/* Whether any of eight entries has any of these bits: most tables are nearly empty. */
static inline bool any_of_eight(const uint64_t *entry, uint64_t bits)
{
	return (entry[0] | entry[1] | entry[2] | entry[3] | entry[4] | entry[5] | entry[6] |
		entry[7]) &
	       bits;
}

/* The entry at which the walk for `gpa` ends: a leaf or an empty one, and its level. */
static inline uint64_t *walk(const struct hatch_gstage *stage, uint64_t gpa, unsigned int *level)
{
	uint64_t *entry = entry_of(stage, stage->root, *level = top_level(stage), gpa);

	while (*entry && !is_leaf(*entry)) {
		--*level;
		entry = &table_of(stage, *entry)[(gpa >> level_shift(*level)) % ENTRIES];
	}
	return entry;
}

/* All that follows is called with the lock held. */

/* As hatch_gstage_lookup. */
int hatch_gstage_find(const struct hatch_gstage *stage, hatch_gpa gpa, struct hatch_mapping *out);

/*
 * Maps [gpa, gpa+size), of which nothing is mapped, to `hpa` with leaves that have `flags`.
 * Errors: HATCH_ENOMEM (nothing stays mapped).
 */
int hatch_gstage_fill(struct hatch_gstage *stage, uint64_t gpa, uint64_t hpa, uint64_t size,
		      uint64_t flags);

/*
 * Makes the page at gpa, which is mapped, a leaf of its own.
 * Errors: HATCH_ENOMEM (nothing is changed).
 */
int hatch_gstage_split(struct hatch_gstage *stage, uint64_t gpa);

/*
 * Gives all leaves in [gpa, gpa+size) these flags, or with 0 takes them out.
 * Errors: HATCH_ENOMEM (nothing is changed).
 */
int hatch_gstage_rewrite(struct hatch_gstage *stage, uint64_t gpa, uint64_t size, uint64_t flags);

/* A table of one page, zeroed and counted, or NULL; and its entry in the table above. */
uint64_t *hatch_gstage_new_table(struct hatch_gstage *stage);
uint64_t hatch_gstage_pointer_pte(const struct hatch_gstage *stage, const uint64_t *table);

/* Gives all tables back, and drops the pool's pages. */
void hatch_gstage_raze(struct hatch_gstage *stage);

#endif
