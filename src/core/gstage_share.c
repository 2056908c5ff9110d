/* SPDX-License-Identifier: MIT */
/*
 * G-stage tables that are shared: copies of whole tables, and leaves that lose W until somebody
 * writes. Entries are looked at by eight, since most are empty.
 */
#include "guest_share.h"

/*
 * A pass over the tables of a guest.
 * Invariant: leaves that begin in [start, start+size) are shareable or not as `shareable` says:
 * neighbours are of the same region, which is looked up only once.
 */
struct pass {
	struct hatch_guest *guest;
	struct hatch_gstage *copy; /* NULL: nothing is copied */
	uint64_t start, size;
	bool shareable;
	bool changed;
};

static bool is_shareable(struct pass *pass, uint64_t gpa)
{
	const struct hatch_region *region;

	if (gpa - pass->start < pass->size)
		return pass->shareable;
	region = region_at(pass->guest, gpa);
	pass->start = region ? region->base.addr : gpa;
	pass->size = region ? region->size : 1;
	pass->shareable = region_is_shareable(region);
	return pass->shareable;
}

/* Takes W from the leaf if it may be shared. Returns the entry as it is then. */
static uint64_t withhold(struct pass *pass, uint64_t *entry, uint64_t gpa)
{
	uint64_t pte = *entry;

	if (!(pte & PTE_W) || !is_shareable(pass, gpa))
		return pte;
	pte ^= PTE_W | PTE_COW;
	__atomic_store_n(entry, pte, __ATOMIC_RELAXED);
	pass->changed = true;
	return pte;
}

static int visit_table(struct pass *pass, uint64_t *from, uint64_t *to, unsigned int level,
		       uint64_t gpa);

/* The table below *entry, and its copy, of which to is the entry. */
static int visit_below(struct pass *pass, uint64_t pte, uint64_t *to, unsigned int level,
		       uint64_t gpa)
{
	uint64_t *copy = NULL;

	if (pass->copy) {
		copy = hatch_gstage_new_table(pass->copy);
		if (!copy)
			return HATCH_ENOMEM;
		*to = hatch_gstage_pointer_pte(pass->copy, copy);
	}
	return visit_table(pass, table_of(&pass->guest->stage, pte), copy, level - 1, gpa);
}

/* One entry. Of a page in the pool the copy is one more owner. */
static int visit(struct pass *pass, uint64_t *entry, uint64_t *to, unsigned int level, uint64_t gpa)
{
	uint64_t pte = *entry;

	if (!is_leaf(pte))
		return pte ? visit_below(pass, pte, to, level, gpa) : HATCH_OK;
	pte = withhold(pass, entry, gpa);
	if (!pass->copy)
		return HATCH_OK;
	if (pte & PTE_POOL)
		pool_page_of(pass->copy, pte)->refs++;
	*to = pte;
	return HATCH_OK;
}

static int visit_entries(struct pass *pass, uint64_t *from, uint64_t *to, unsigned int level,
			 uint64_t gpa, unsigned int first, unsigned int end)
{
	uint64_t bits = level || pass->copy ? UINT64_MAX : PTE_W;
	int error;

	for (unsigned int i = first; i < end; i += 8) {
		if (!any_of_eight(from + i, bits))
			continue;
		for (unsigned int j = i; j < i + 8; j++) {
			error = visit(pass, from + j, to ? to + j : NULL, level,
				      gpa + ((uint64_t)j << level_shift(level)));
			if (error)
				return error;
		}
	}
	return HATCH_OK;
}

static int visit_table(struct pass *pass, uint64_t *from, uint64_t *to, unsigned int level,
		       uint64_t gpa)
{
	return visit_entries(pass, from, to, level, gpa, 0, ENTRIES);
}

/* Other harts, and this one, may remember that the leaves had W. */
static int visit_all(struct pass *pass)
{
	struct hatch_gstage *stage = &pass->guest->stage;
	uint64_t *to = pass->copy ? pass->copy->root : NULL;
	unsigned int first, end;
	int error;

	root_span(stage, &first, &end);
	error = visit_entries(pass, stage->root, to, top_level(stage), 0, first, end);
	if (pass->changed && stage->fence)
		stage->fence(stage, hatch_gpa_of(0), address_limit(stage));
	return error;
}

void hatch_gstage_withhold(struct hatch_guest *guest)
{
	struct pass pass = { .guest = guest };

	visit_all(&pass);
}

int hatch_gstage_copy(struct hatch_gstage *to, struct hatch_guest *from)
{
	struct pass pass = { .guest = from, .copy = to };

	to->root_first = from->stage.root_first;
	to->root_end = from->stage.root_end;
	return visit_all(&pass);
}
