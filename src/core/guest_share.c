/* SPDX-License-Identifier: MIT */
/*
 * Guests that share memory: cloning, and the write faults that undo the sharing page by page.
 *
 * A leaf that may be shared has PTE_COW instead of W. Its page is either one of a region (or of
 * the clause that mapped it), which several guests may have for as long as the family has more
 * than one, or one of the pool, which knows.
 */
#include "guest_share.h"

/* ---- Families ---- */

/* What hatch_gstage knows of its guest. */
static struct hatch_guest *guest_of(struct hatch_gstage *stage)
{
	return (struct hatch_guest *)((char *)stage - offsetof(struct hatch_guest, stage));
}

/*
 * A page that a clause maps now is nobody else's; in a transaction it must be possible to put it
 * back to what it holds now. RAM of the family, and a leaf that was there before, may be shared.
 */
static bool withholds(struct hatch_gstage *stage, hatch_gpa gpa, bool fresh)
{
	struct hatch_guest *guest = guest_of(stage);
	const struct hatch_region *region = region_at(guest, gpa.addr);

	if (region_is_shareable(region) && (!fresh || region->owned || guest->transaction))
		return true;
	guest->marked = false;
	return false;
}

/* Takes a record out of the log. Returns the page of the pool that it alone kept, or NULL. */
static struct hatch_pool_page *forget(struct hatch_guest *guest, struct hatch_pool_page *page)
{
	struct hatch_pool_page *old = NULL;

	if (page->older)
		page->older->newer = page->newer;
	if (page->newer)
		page->newer->older = page->older;
	else
		guest->log = page->older;
	page->transaction = 0;
	if (page->old & PTE_POOL)
		old = pool_page_of(&guest->stage, page->old);
	return old && --old->refs == 0 ? old : NULL;
}

/*
 * A copy that no leaf leads to will never be undone, so its record goes as well: a guest whose
 * pages come and go would fill the log otherwise. Another guest's log is that guest's affair.
 */
static void drop(struct hatch_gstage *stage, uint64_t pte)
{
	struct hatch_guest *guest = guest_of(stage);
	struct hatch_pool_page *page = pool_page_of(stage, pte), *old;

	if (--page->refs)
		return;
	for (; page; page = old) {
		if (page->transaction && page->transaction != guest->transaction)
			return;
		old = page->transaction ? forget(guest, page) : NULL;
		page->next = guest->family->dying;
		guest->family->dying = page;
	}
}

/*
 * Tables were freed: what was remembered of them is stale for good. The guest may have so many
 * freed that their count comes round to what it was.
 */
static void forget_tables(struct hatch_guest *guest)
{
	if (guest->freed_leaves != guest->stage.freed)
		guest->leaves_at = 0;
	if (guest->freed_before != guest->stage.freed)
		guest->freed_before = guest->stage.freed - 1;
}

static void settle(struct hatch_gstage *stage)
{
	struct hatch_guest *guest = guest_of(stage);
	struct hatch_family *family = guest->family;
	struct hatch_pool_page *page, *next;

	forget_tables(guest);
	for (page = family->dying; page; page = next) {
		next = page->next;
		hatch_pool_give(family, page);
	}
	family->dying = NULL;
}

static const struct hatch_gstage_hooks hooks = { withholds, drop, settle };

static void enter(struct hatch_guest *guest, struct hatch_family *family)
{
	guest->family = family;
	guest->stage.hooks = &hooks;
	guest->stage.common = &family->lock;
	family->guests++;
}

int hatch_family_join(struct hatch_guest *guest)
{
	const struct hatch_memory *memory = guest->stage.memory;
	struct hatch_family *family;

	if (guest->family)
		return HATCH_OK;
	family = memory->alloc(memory->arg, HATCH_PAGE_SIZE, HATCH_PAGE_SIZE);
	if (!family)
		return HATCH_ENOMEM;
	family->memory = memory;
	family->keep = 1;
	enter(guest, family);
	return HATCH_OK;
}

bool hatch_family_disowns(struct hatch_guest *guest, const struct hatch_region *region)
{
	return region->owned && (!region->block || --guest->family->owners[region->block] == 0);
}

void hatch_family_leave(struct hatch_guest *guest)
{
	struct hatch_family *family = guest->family;
	bool last;

	if (!family)
		return;
	lock_stage(&guest->stage);
	last = --family->guests == 0;
	unlock_stage(&guest->stage);
	guest->family = NULL;
	guest->stage.hooks = NULL;
	guest->stage.common = NULL;
	if (!last)
		return;
	hatch_pool_trim(family, 0);
	family->memory->free(family->memory->arg, family, HATCH_PAGE_SIZE);
}

/* ---- Clones ---- */

/* Gives every block of owned RAM a count of owners. Errors: HATCH_ENOMEM. */
static int number_blocks(struct hatch_guest *guest)
{
	uint32_t *owners = guest->family->owners;
	uint16_t free = 1;

	for (unsigned int i = 0; i < guest->regions; i++) {
		struct hatch_region *region = &guest->region[i];

		if (!region->owned || region->block)
			continue;
		while (free < FAMILY_BLOCKS && owners[free])
			free++;
		if (free == FAMILY_BLOCKS)
			return HATCH_ENOMEM;
		region->block = free;
		owners[free] = 1;
	}
	return HATCH_OK;
}

static int count_blocks(struct hatch_guest *guest)
{
	int error;

	lock_stage(&guest->stage);
	error = number_blocks(guest);
	unlock_stage(&guest->stage);
	return error;
}

static void share_regions(struct hatch_guest *clone, const struct hatch_guest *guest)
{
	for (unsigned int i = 0; i < guest->regions; i++) {
		clone->region[i] = guest->region[i];
		if (clone->region[i].owned)
			guest->family->owners[clone->region[i].block]++;
	}
	clone->regions = guest->regions;
}

int hatch_guest_clone(struct hatch_guest *clone, struct hatch_guest *guest)
{
	struct hatch_gstage *stage;
	int error;

	if (!clone || !guest || clone == guest || !guest->stage.root)
		return HATCH_EINVAL;
	*clone = (struct hatch_guest){ .regions = 0 };
	stage = &guest->stage;
	error = hatch_family_join(guest);
	if (!error)
		error = count_blocks(guest);
	if (!error)
		error = hatch_gstage_init(&clone->stage, stage->memory, stage->mode, 0);
	if (error)
		return error;
	clone->stage.fence = stage->fence;
	lock_stage(stage);
	enter(clone, guest->family);
	share_regions(clone, guest);
	error = hatch_gstage_copy(&clone->stage, guest);
	guest->marked |= !error;
	clone->marked = true;
	unlock_stage(stage);
	if (error)
		hatch_guest_fini(clone);
	return error;
}

/* ---- Write faults ---- */

typedef uint64_t __attribute__((may_alias)) word;

static inline void copy_eight(word *restrict to, const word *restrict from)
{
	word a = from[0], b = from[1], c = from[2], d = from[3];
	word e = from[4], f = from[5], g = from[6], h = from[7];

	to[0] = a, to[1] = b, to[2] = c, to[3] = d;
	to[4] = e, to[5] = f, to[6] = g, to[7] = h;
}

/* Two instructions for a word, and three for a turn. On its own it saves no register. */
static __attribute__((noinline)) void copy_page(word *restrict to, const word *restrict from)
{
	const word *end = from + HATCH_PAGE_SIZE / sizeof(*from);

	for (; from < end; from += 64, to += 64) {
		copy_eight(to, from);
		copy_eight(to + 8, from + 8);
		copy_eight(to + 16, from + 16);
		copy_eight(to + 24, from + 24);
		copy_eight(to + 32, from + 32);
		copy_eight(to + 40, from + 40);
		copy_eight(to + 48, from + 48);
		copy_eight(to + 56, from + 56);
	}
}

/* Whether a store to the leaf's memory is seen by nobody else and need not be undone. */
static bool is_alone(const struct hatch_guest *guest, const struct hatch_pool_page *old)
{
	if (old)
		return old->refs == 1 &&
		       (!guest->transaction || old->transaction == guest->transaction);
	return guest->family->guests == 1 && !guest->transaction;
}

static void set_leaf(struct hatch_guest *guest, uint64_t *entry, uint64_t pte, hatch_gpa gpa,
		     uint64_t size)
{
	struct hatch_gstage *stage = &guest->stage;

	__atomic_store_n(entry, pte, __ATOMIC_RELEASE);
	if (stage->fence)
		stage->fence(stage, hatch_gpa_of(gpa.addr & ~(size - 1)), size);
}

/* The leaf's own reference to the old page is the record's now, or is given up. */
static void note(struct hatch_guest *guest, struct hatch_pool_page *page, uint64_t *entry,
		 uint64_t gpa)
{
	page->transaction = guest->transaction;
	page->gpa = gpa;
	page->entry = entry;
	page->old = *entry;
	page->older = guest->log;
	page->newer = NULL;
	if (page->older)
		page->older->newer = page;
	guest->log = page;
}

/* Puts a copy in the place of a leaf of 4 KiB. */
static int replace(struct hatch_guest *guest, uint64_t *entry, hatch_gpa gpa,
		   struct hatch_pool_page *old)
{
	struct hatch_pool_page *page = pool_take(guest->family);
	uint64_t flags = (*entry & (PTE_FLAGS ^ PTE_COW)) | PTE_W | PTE_POOL;

	if (!page)
		return HATCH_ENOMEM;
	copy_page(pool_data(page), (const word *)table_of(&guest->stage, *entry));
	if (guest->transaction) {
		note(guest, page, entry, gpa.addr & ~(HATCH_PAGE_SIZE - 1));
	} else {
		guest->marked = false;
		if (old)
			old->refs--;
	}
	set_leaf(guest, entry, page->pte | flags, gpa, HATCH_PAGE_SIZE);
	return HATCH_OK;
}

/* Where the walk ends. A table of leaves is remembered: the next fault is often near. */
static __attribute__((noinline)) uint64_t *find_entry(struct hatch_guest *guest, uint64_t gpa,
						      unsigned int *level)
{
	struct hatch_gstage *stage = &guest->stage;
	uint64_t *entry = walk(stage, gpa, level);

	if (!*level) {
		guest->leaves = entry - (gpa >> HATCH_PAGE_SHIFT) % ENTRIES;
		guest->leaves_at = (gpa >> level_shift(1)) + 1;
		guest->freed_leaves = stage->freed;
	}
	return entry;
}

/* Makes 4 KiB of a larger leaf a leaf. NULL: no memory. */
static __attribute__((noinline)) uint64_t *split_off(struct hatch_guest *guest, uint64_t gpa)
{
	unsigned int level;

	if (hatch_gstage_split(&guest->stage, gpa & ~(HATCH_PAGE_SIZE - 1)))
		return NULL;
	return find_entry(guest, gpa, &level);
}

/* Mends a leaf of any size that has PTE_COW. */
static inline int mend(struct hatch_guest *guest, hatch_gpa gpa, uint64_t *entry,
		       unsigned int level)
{
	struct hatch_pool_page *old = NULL;

	if (*entry & PTE_POOL)
		old = pool_page_of(&guest->stage, *entry);
	if (is_alone(guest, old)) {
		guest->marked &= guest->transaction != 0;
		set_leaf(guest, entry, *entry ^ (PTE_W | PTE_COW), gpa, level_size(level));
		return HATCH_OK;
	}
	if (level && !(entry = split_off(guest, gpa.addr)))
		return HATCH_ENOMEM;
	return replace(guest, entry, gpa, old);
}

/* The larger leaves, and the first fault near others. */
static __attribute__((noinline)) int unshare_far(struct hatch_guest *guest, hatch_gpa gpa)
{
	unsigned int level;
	uint64_t *entry;

	if (gpa.addr >= address_limit(&guest->stage))
		return HATCH_EFAULT;
	entry = find_entry(guest, gpa.addr, &level);
	if (!(*entry & PTE_COW))
		return *entry ? HATCH_ENOENT : HATCH_EFAULT;
	return mend(guest, gpa, entry, level);
}

int hatch_guest_mend(struct hatch_guest *guest, hatch_gpa gpa)
{
	uint64_t *entry;

	if ((gpa.addr >> level_shift(1)) + 1 != guest->leaves_at ||
	    guest->freed_leaves != guest->stage.freed)
		return unshare_far(guest, gpa);
	entry = &guest->leaves[(gpa.addr >> HATCH_PAGE_SHIFT) % ENTRIES];
	if (!(*entry & PTE_COW))
		return *entry ? HATCH_ENOENT : HATCH_EFAULT;
	return mend(guest, gpa, entry, 0);
}

int hatch_guest_unshare(struct hatch_guest *guest, hatch_gpa gpa)
{
	int error;

	lock_stage(&guest->stage);
	error = hatch_guest_mend(guest, gpa);
	unlock_stage(&guest->stage);
	return error;
}
