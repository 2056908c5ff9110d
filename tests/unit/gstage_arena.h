/* SPDX-License-Identifier: MIT */
/*
 * For tests of the G-stage tables: memory that counts every table and can be made to run out at
 * any allocation, and a walk as the hardware does it.
 */
#ifndef GSTAGE_ARENA_H
#define GSTAGE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/csr.h>
#include <hatch/gstage.h>

enum { NEVER = -1 };

#define KIB	     ((uint64_t)1 << 10)
#define MIB	     ((uint64_t)1 << 20)
#define GIB	     ((uint64_t)1 << 30)
#define TIB	     ((uint64_t)1 << 40)
#define HOST_OFFSET  ((uint64_t)0x123000000000) /* physical address of the pointer 0 */
#define PTE_OF_LEAF  0xd1ULL			/* V, U, A, D: what every leaf has */
#define PTE_OF_TABLE 0x01ULL			/* V alone */

/* ---- Memory that counts ---- */

struct arena {
	size_t bytes;	/* handed out and not yet back */
	int fail_after; /* allocations that still work; NEVER: all */
	struct hatch_memory memory;
	/* The fence calls since the last look. */
	unsigned int fences;
	uint64_t fenced, fenced_size;
	size_t bytes_at_fence;
};

static struct arena arena;

static inline void *arena_alloc(void *arg, size_t size, size_t align)
{
	struct arena *a = arg;
	void *p;

	if (a->fail_after == 0)
		return NULL;
	if (a->fail_after > 0)
		a->fail_after--;
	p = aligned_alloc(align, size);
	assert_non_null(p);
	memset(p, 0, size);
	a->bytes += size;
	return p;
}

/* What is freed is filled with valid-looking rubbish: a use of it afterwards shows. */
static inline void arena_free(void *arg, void *p, size_t size)
{
	struct arena *a = arg;

	memset(p, 0xdf, size);
	free(p);
	a->bytes -= size;
}

static inline hatch_hpa arena_physical(void *arg, const void *p)
{
	(void)arg;
	return hatch_hpa_of((uint64_t)(uintptr_t)p + HOST_OFFSET);
}

static inline void *arena_pointer(void *arg, hatch_hpa hpa)
{
	(void)arg;
	return (void *)(uintptr_t)(hpa.addr - HOST_OFFSET);
}

static inline void note_fence(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size)
{
	assert_ptr_equal(stage->memory, &arena.memory);
	arena.fences++;
	arena.fenced = gpa.addr;
	arena.fenced_size = size;
	arena.bytes_at_fence = arena.bytes;
}

static inline void begin(struct hatch_gstage *stage, enum hatch_gstage_mode mode)
{
	arena = (struct arena){ .fail_after = NEVER,
				.memory = { arena_alloc, arena_free, arena_physical, arena_pointer,
					    &arena } };
	assert_int_equal(hatch_gstage_init(stage, &arena.memory, mode, 0x1234), HATCH_OK);
	stage->fence = note_fence;
}

static inline void end(struct hatch_gstage *stage)
{
	hatch_gstage_fini(stage);
	assert_int_equal(arena.bytes, 0);
	assert_null(stage->root);
	assert_int_equal(stage->pages, 0);
	hatch_gstage_fini(stage);
}

/* ---- The hardware's view ---- */

static inline unsigned int top_of(enum hatch_gstage_mode mode)
{
	return mode == HATCH_SV48X4 ? 3 : 2;
}

/* Whoever changes an entry does not wait for the hardware: it may be looking. */
static inline uint64_t pte_at(hatch_hpa table, uint64_t index)
{
	const uint64_t *entries = arena_pointer(&arena, table);

	return __atomic_load_n(&entries[index], __ATOMIC_ACQUIRE);
}

/* Translates as 18.5.1 tells it, from the register value alone. False: guest-page fault. */
static inline bool walk(const struct hatch_gstage *stage, uint64_t gpa, uint64_t *hpa,
			unsigned int *prot)
{
	uint64_t hgatp = hatch_gstage_hgatp(stage);
	hatch_hpa table = hatch_hpa_of((hgatp & HGATP_PPN_MASK) << 12);
	int level = (int)top_of(hgatp >> HGATP_MODE_SHIFT);
	uint64_t index = gpa >> (12 + 9 * level);

	if (index > 2047)
		return false;
	for (; level >= 0; level--) {
		uint64_t pte = pte_at(table, index), mask = ((uint64_t)1 << (12 + 9 * level)) - 1;

		if (!(pte & 1))
			return false;
		if (pte & 0xe) {
			assert_int_equal(pte & 0x3f1, PTE_OF_LEAF);
			assert_int_equal(pte >> 54, 0);
			assert_int_equal((pte >> 10 << 12) & mask, 0);
			*hpa = (pte >> 10 << 12) | (gpa & mask);
			*prot = (unsigned int)(pte >> 1 & 7);
			return true;
		}
		assert_int_equal(pte & 0x3ff, PTE_OF_TABLE);
		table = hatch_hpa_of(pte >> 10 << 12);
		index = gpa >> (12 + 9 * (level - 1)) & 511;
	}
	fail_msg("a pointer at the last level");
	return false;
}

/* How many pages this table and those below it take. Each but the root holds something. */
static inline size_t count_pages(hatch_hpa table, int level, unsigned int entries)
{
	size_t pages = entries / 512;
	unsigned int used = 0;

	for (unsigned int i = 0; i < entries; i++) {
		uint64_t pte = pte_at(table, i);

		used += pte != 0;
		if (pte && !(pte & 0xe))
			pages += count_pages(hatch_hpa_of(pte >> 10 << 12), level - 1, 512);
	}
	assert_true(used || entries > 512);
	return pages;
}

static inline void check_tables(const struct hatch_gstage *stage)
{
	hatch_hpa root = arena_physical(&arena, stage->root);

	assert_int_equal(stage->pages, count_pages(root, (int)top_of(stage->mode), 2048));
	assert_int_equal(arena.bytes, stage->pages * HATCH_PAGE_SIZE);
}

static inline int map(struct hatch_gstage *stage, uint64_t gpa, uint64_t hpa, uint64_t size,
		      unsigned int prot)
{
	arena.fences = 0;
	return hatch_gstage_map(stage, hatch_gpa_of(gpa), hatch_hpa_of(hpa), size, prot);
}

static inline int unmap(struct hatch_gstage *stage, uint64_t gpa, uint64_t size)
{
	arena.fences = 0;
	return hatch_gstage_unmap(stage, hatch_gpa_of(gpa), size);
}

static inline int protect(struct hatch_gstage *stage, uint64_t gpa, uint64_t size,
			  unsigned int prot)
{
	arena.fences = 0;
	return hatch_gstage_protect(stage, hatch_gpa_of(gpa), size, prot);
}

static inline void expect_leaf(struct hatch_gstage *stage, uint64_t gpa, uint64_t start,
			       uint64_t size, uint64_t hpa, unsigned int prot)
{
	struct hatch_mapping m;
	uint64_t walked;
	unsigned int rights;

	assert_int_equal(hatch_gstage_lookup(stage, hatch_gpa_of(gpa), &m), HATCH_OK);
	assert_int_equal(m.gpa.addr, start);
	assert_int_equal(m.size, size);
	assert_int_equal(m.hpa.addr, hpa);
	assert_int_equal(m.prot, prot);
	assert_true(walk(stage, gpa, &walked, &rights));
	assert_int_equal(walked, hpa + (gpa - start));
	assert_int_equal(rights, prot);
}

static inline void expect_nothing(struct hatch_gstage *stage, uint64_t gpa)
{
	struct hatch_mapping m;
	uint64_t walked;
	unsigned int rights;

	assert_int_equal(hatch_gstage_lookup(stage, hatch_gpa_of(gpa), &m), HATCH_EFAULT);
	assert_false(walk(stage, gpa, &walked, &rights));
}

static inline void expect_fence(uint64_t gpa, uint64_t size)
{
	assert_int_equal(arena.fences, 1);
	assert_int_equal(arena.fenced, gpa);
	assert_int_equal(arena.fenced_size, size);
}

#endif
