/* SPDX-License-Identifier: MIT */
/*
 * G-stage tables: the place that changes their shape.
 *
 * Every change is an edit of a range in three steps. First all memory that it may need is taken,
 * so that it cannot fail half-way (a fill, whose need is not known beforehand, is rolled back).
 * Then entries are rewritten, and the edit remembers the range that they cover. Last the fence is
 * told of that range, and only then do dead tables go back to the memory: until the fence a
 * hart may still walk through them.
 *
 * Recursion goes one level of the tables down at each step: at most four deep.
 */
#include "gstage_tables.h"

/* Splitting both ends of a range takes a table for each of three levels. */
enum { MAX_SPLITS = 6 };

/*
 * One change of a range.
 * Invariants: [touched, touched_end) covers every entry that was rewritten, and is empty while
 * touched >= touched_end; tables on the `dead` list are linked through their first entry, which
 * is a page-aligned address and so never valid to a hart that still looks at it.
 */
struct edit {
	struct hatch_gstage *stage;
	uint64_t gpa, end; /* bytes, guest-physical */
	uint64_t hpa;	   /* map: where gpa goes */
	uint64_t flags;	   /* what leaves in the range shall have; 0: none shall be there */
	uint64_t touched, touched_end;
	uint64_t *dead;
	uint64_t *spare[MAX_SPLITS];
	unsigned int spares;
};

/* ---- Tables ---- */

uint64_t *hatch_gstage_new_table(struct hatch_gstage *stage)
{
	const struct hatch_memory *memory = stage->memory;
	uint64_t *table = memory->alloc(memory->arg, HATCH_PAGE_SIZE, HATCH_PAGE_SIZE);

	if (table)
		stage->pages++;
	return table;
}

static void free_table(struct hatch_gstage *stage, uint64_t *table)
{
	stage->memory->free(stage->memory->arg, table, HATCH_PAGE_SIZE);
	stage->pages--;
	stage->freed++;
}

uint64_t hatch_gstage_pointer_pte(const struct hatch_gstage *stage, const uint64_t *table)
{
	return pte_of(stage->memory->physical(stage->memory->arg, table), PTE_V);
}

static bool table_is_empty(const uint64_t *table)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		if (table[i])
			return false;
	}
	return true;
}

/* ---- Edits ---- */

static struct edit edit_begin(struct hatch_gstage *stage, uint64_t gpa, uint64_t size,
			      uint64_t flags)
{
	return (struct edit){
		.stage = stage, .gpa = gpa, .end = gpa + size, .flags = flags, .touched = UINT64_MAX
	};
}

/* Release: a walk on another hart must not see a table before its contents. */
static void set_entry(struct edit *ed, uint64_t *entry, unsigned int level, uint64_t gpa,
		      uint64_t pte)
{
	uint64_t start = gpa & ~(level_size(level) - 1);

	__atomic_store_n(entry, pte, __ATOMIC_RELEASE);
	if (start < ed->touched)
		ed->touched = start;
	if (start + level_size(level) > ed->touched_end)
		ed->touched_end = start + level_size(level);
}

static void bury_table(struct edit *ed, uint64_t *table)
{
	*table = (uintptr_t)ed->dead;
	ed->dead = table;
}

static void edit_end(struct edit *ed)
{
	struct hatch_gstage *stage = ed->stage;

	if (stage->fence && ed->touched < ed->touched_end)
		stage->fence(stage, hatch_gpa_of(ed->touched), ed->touched_end - ed->touched);
	while (ed->dead) {
		uint64_t *table = ed->dead;

		ed->dead = (uint64_t *)(uintptr_t)*table;
		free_table(stage, table);
	}
	if (stage->hooks)
		stage->hooks->settle(stage);
}

/* ---- Leaves ---- */

/* The flags of a leaf that gets W: only a guest that shares memory may have to wait for it. */
static uint64_t grant(const struct edit *ed, uint64_t flags, uint64_t gpa, bool fresh)
{
	struct hatch_gstage *stage = ed->stage;

	if (flags & PTE_W && stage->hooks &&
	    stage->hooks->withholds(stage, hatch_gpa_of(gpa), fresh))
		return flags ^ (PTE_W | PTE_COW);
	return flags;
}

/* Whether the edit changes a leaf with this entry. W that waits counts as W. */
static bool changes(const struct edit *ed, uint64_t pte)
{
	uint64_t flags = pte & PTE_FLAGS & ~(uint64_t)(PTE_POOL | PTE_COW);

	return is_leaf(pte) && (flags | (pte & PTE_COW ? PTE_W : 0)) != ed->flags;
}

/* What the edit makes of a leaf, 0 for nothing. One that waits for W, if any, goes on waiting. */
static uint64_t changed_leaf(const struct edit *ed, uint64_t pte, uint64_t gpa)
{
	uint64_t kept = pte & ~(uint64_t)(PTE_FLAGS & ~PTE_POOL);

	if (!ed->flags)
		return 0;
	if (pte & PTE_W || !(ed->flags & PTE_W))
		return kept | ed->flags;
	return kept | grant(ed, ed->flags, gpa, false);
}

static void rewrite_leaf(struct edit *ed, uint64_t *entry, unsigned int level, uint64_t gpa)
{
	uint64_t pte = *entry;

	if (!changes(ed, pte))
		return;
	set_entry(ed, entry, level, gpa, changed_leaf(ed, pte, gpa));
	if (!ed->flags && pte & PTE_POOL)
		ed->stage->hooks->drop(ed->stage, pte);
}

/* Gives the leaves of [gpa, end) the edit's flags. No leaf sticks out that has others. */
static void rewrite(struct edit *ed, uint64_t *table, unsigned int level, uint64_t gpa,
		    uint64_t end)
{
	uint64_t next;

	for (; gpa < end; gpa = next) {
		uint64_t *entry = entry_of(ed->stage, table, level, gpa), pte = *entry, *child;

		next = entry_end(level, gpa, end);
		if (is_leaf(pte)) {
			rewrite_leaf(ed, entry, level, gpa);
		} else if (pte) {
			child = table_of(ed->stage, pte);
			rewrite(ed, child, level - 1, gpa, next);
			if (!ed->flags && table_is_empty(child)) {
				set_entry(ed, entry, level, gpa, 0);
				bury_table(ed, child);
			}
		}
	}
}

static bool leaf_fits(const struct edit *ed, unsigned int level, uint64_t gpa, uint64_t next)
{
	uint64_t hpa = ed->hpa + (gpa - ed->gpa);

	return next - gpa == level_size(level) && !(hpa & (level_size(level) - 1));
}

/* Fills [gpa, end), of which nothing is mapped. On HATCH_ENOMEM a part of it is. */
static int fill(struct edit *ed, uint64_t *table, unsigned int level, uint64_t gpa, uint64_t end)
{
	uint64_t next;
	int error = HATCH_OK;

	for (; gpa < end && !error; gpa = next) {
		uint64_t *entry = entry_of(ed->stage, table, level, gpa), *child;

		next = entry_end(level, gpa, end);
		if (leaf_fits(ed, level, gpa, next)) {
			hatch_hpa hpa = hatch_hpa_of(ed->hpa + (gpa - ed->gpa));

			set_entry(ed, entry, level, gpa,
				  pte_of(hpa, grant(ed, ed->flags, gpa, true)));
			continue;
		}
		child = *entry ? table_of(ed->stage, *entry) : hatch_gstage_new_table(ed->stage);
		if (!child)
			return HATCH_ENOMEM;
		if (!*entry)
			set_entry(ed, entry, level, gpa,
				  hatch_gstage_pointer_pte(ed->stage, child));
		error = fill(ed, child, level - 1, gpa, next);
	}
	return error;
}

/* ---- Splitting ---- */

static bool is_within_leaf(uint64_t gpa, unsigned int level)
{
	return gpa & (level_size(level) - 1);
}

/*
 * Only a leaf that the edit changes is split.
 *
 * How many tables it takes to make `gpa` a boundary between leaves, beyond those that do so for
 * `before` (0: none).
 */
static unsigned int count_splits(const struct edit *ed, uint64_t gpa, uint64_t before)
{
	unsigned int level, count = 0;
	uint64_t pte = *walk(ed->stage, gpa, &level);

	if (!changes(ed, pte))
		return 0;
	for (; is_within_leaf(gpa, level); level--) {
		bool is_same_entry = (gpa ^ before) >> level_shift(level) == 0;

		if (!is_same_entry || !is_within_leaf(before, level))
			count++;
	}
	return count;
}

/* Replaces leaves by tables of smaller ones until `gpa` is a boundary. Uses up spare tables. */
static void split(struct edit *ed, uint64_t gpa)
{
	unsigned int level;
	uint64_t *entry = walk(ed->stage, gpa, &level);

	if (!changes(ed, *entry))
		return;
	for (; is_within_leaf(gpa, level); level--) {
		uint64_t *table = ed->spare[--ed->spares];
		uint64_t step = level_size(level - 1) >> HATCH_PAGE_SHIFT << PTE_PPN_SHIFT;

		for (unsigned int i = 0; i < ENTRIES; i++)
			table[i] = *entry + i * step;
		set_entry(ed, entry, level, gpa, hatch_gstage_pointer_pte(ed->stage, table));
		entry = entry_of(ed->stage, table, level - 1, gpa);
	}
}

/* Makes both ends of the range boundaries between leaves, or changes nothing. */
static int split_ends(struct edit *ed)
{
	unsigned int need = count_splits(ed, ed->gpa, 0) + count_splits(ed, ed->end, ed->gpa);

	for (; ed->spares < need; ed->spares++) {
		ed->spare[ed->spares] = hatch_gstage_new_table(ed->stage);
		if (!ed->spare[ed->spares]) {
			while (ed->spares)
				bury_table(ed, ed->spare[--ed->spares]);
			return HATCH_ENOMEM;
		}
	}
	split(ed, ed->gpa);
	split(ed, ed->end);
	return HATCH_OK;
}

/* ---- The interface ---- */

static void widen_root(struct hatch_gstage *stage, uint64_t gpa, uint64_t last)
{
	unsigned int shift = level_shift(top_level(stage));
	uint16_t first = (uint16_t)(gpa >> shift), end = (uint16_t)((last >> shift) + 1);

	if (first < stage->root_first || stage->root_end == 0)
		stage->root_first = first;
	if (end > stage->root_end)
		stage->root_end = end;
}

int hatch_gstage_fill(struct hatch_gstage *stage, uint64_t gpa, uint64_t hpa, uint64_t size,
		      uint64_t flags)
{
	struct edit ed = edit_begin(stage, gpa, size, flags);
	int error;

	ed.hpa = hpa;
	widen_root(stage, gpa, gpa + size - 1);
	error = fill(&ed, stage->root, top_level(stage), ed.gpa, ed.end);
	if (error) {
		ed.flags = 0;
		rewrite(&ed, stage->root, top_level(stage), ed.gpa, ed.end);
	}
	edit_end(&ed);
	return error;
}

int hatch_gstage_rewrite(struct hatch_gstage *stage, uint64_t gpa, uint64_t size, uint64_t flags)
{
	struct edit ed = edit_begin(stage, gpa, size, flags);
	int error = split_ends(&ed);

	if (!error)
		rewrite(&ed, stage->root, top_level(stage), ed.gpa, ed.end);
	edit_end(&ed);
	return error;
}

int hatch_gstage_split(struct hatch_gstage *stage, uint64_t gpa)
{
	/* Flags that no leaf has: the edit changes all, and so splits at both ends of the page. */
	struct edit ed = edit_begin(stage, gpa, HATCH_PAGE_SIZE, UINT64_MAX);
	int error = split_ends(&ed);

	edit_end(&ed);
	return error;
}

/* ---- The end ---- */

static void raze_table(struct hatch_gstage *stage, uint64_t *table, unsigned int level)
{
	for (uint64_t *entry = table; entry < table + ENTRIES; entry += 8) {
		if (!any_of_eight(entry, level ? UINT64_MAX : PTE_POOL))
			continue;
		for (unsigned int i = 0; i < 8; i++) {
			if (entry[i] & PTE_POOL)
				stage->hooks->drop(stage, entry[i]);
			else if (entry[i] && !is_leaf(entry[i]))
				raze_table(stage, table_of(stage, entry[i]), level - 1);
		}
	}
	free_table(stage, table);
}

/* Without V the hardware cannot find the tables any more, but this file can. */
void hatch_gstage_raze(struct hatch_gstage *stage)
{
	unsigned int first, end;
	bool any = false;

	root_span(stage, &first, &end);
	for (unsigned int i = first; i < end; i++) {
		any |= stage->root[i] != 0;
		__atomic_store_n(&stage->root[i], stage->root[i] & ~(uint64_t)PTE_V,
				 __ATOMIC_RELAXED);
	}
	if (any && stage->fence)
		stage->fence(stage, hatch_gpa_of(0), address_limit(stage));
	for (unsigned int i = first; i < end; i++) {
		if (stage->root[i] && !is_leaf(stage->root[i]))
			raze_table(stage, table_of(stage, stage->root[i]), top_level(stage) - 1);
	}
	stage->memory->free(stage->memory->arg, stage->root, ROOT_SIZE);
	stage->root = NULL;
	stage->pages = 0;
	if (stage->hooks)
		stage->hooks->settle(stage);
}
