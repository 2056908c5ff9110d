/* SPDX-License-Identifier: MIT */
/*
 * Transactions: what was written to since the beginning can be put back by exchanging entries.
 *
 * Each copy that a transaction makes has a record of what it took the place of, in its own slot.
 * They are undone newest first: a page that was copied twice, since a clone shared the first
 * copy, has two.
 */
#include "guest_share.h"

int hatch_guest_begin(struct hatch_guest *guest)
{
	struct hatch_family *family;
	int error;

	if (!guest || !guest->stage.root)
		return HATCH_EINVAL;
	if (guest->transaction)
		return HATCH_EBUSY;
	error = hatch_family_join(guest);
	if (error)
		return error;
	family = guest->family;
	lock_stage(&guest->stage);
	if (!guest->marked)
		hatch_gstage_withhold(guest);
	guest->marked = true;
	guest->freed_before = guest->stage.freed;
	if (++family->transactions == 0)
		family->transactions = 1;
	guest->transaction = family->transactions;
	unlock_stage(&guest->stage);
	return HATCH_OK;
}

/* Takes the page out of the log, and gives up what its record still leads to. */
static void forget(struct hatch_guest *guest, struct hatch_pool_page *page)
{
	struct hatch_pool_page *old;

	if (page->old & PTE_POOL) {
		old = pool_page_of(&guest->stage, page->old);
		if (--old->refs == 0 && !old->transaction)
			hatch_pool_give(guest->family, old);
	}
	page->transaction = 0;
	if (!page->refs)
		hatch_pool_give(guest->family, page);
}

static void close(struct hatch_guest *guest)
{
	struct hatch_pool_page *page, *older;

	for (page = guest->log; page; page = older) {
		older = page->older;
		forget(guest, page);
	}
	guest->log = NULL;
	guest->transaction = 0;
}

void hatch_guest_commit(struct hatch_guest *guest)
{
	if (!guest->transaction)
		return;
	lock_stage(&guest->stage);
	guest->marked &= !guest->log;
	close(guest);
	hatch_pool_trim(guest->family, 1);
	unlock_stage(&guest->stage);
}

/*
 * Puts the old page back, unless the new one is not mapped there any more: then the mapping was
 * changed meanwhile, and the old page may be gone. Rights are not put back.
 */
static void put_back(struct hatch_pool_page *page, uint64_t *entry)
{
	uint64_t now = *entry, flags = now & (PTE_FLAGS & ~(PTE_W | PTE_COW | PTE_POOL));

	if ((now ^ page->pte) >> PTE_PPN_SHIFT)
		return;
	if (now & (PTE_W | PTE_COW))
		flags |= PTE_COW;
	flags |= page->old & ~(uint64_t)(PTE_FLAGS & ~PTE_POOL);
	__atomic_store_n(entry, flags, __ATOMIC_RELAXED);
	page->old = 0;
	page->refs--;
}

/* Entries that were noted are still those of their pages, unless tables were freed. */
static void put_all_back(struct hatch_guest *guest)
{
	struct hatch_gstage *stage = &guest->stage;
	bool valid = guest->freed_before == stage->freed;
	unsigned int level = 0;

	for (struct hatch_pool_page *page = guest->log; page; page = page->older)
		put_back(page, valid ? page->entry : walk(stage, page->gpa, &level));
	if (!guest->log || !stage->fence)
		return;
	if (guest->log->older)
		stage->fence(stage, hatch_gpa_of(0), address_limit(stage));
	else
		stage->fence(stage, hatch_gpa_of(guest->log->gpa), HATCH_PAGE_SIZE);
}

/* What it took this time is kept for the next: whoever rolls back tends to try again. */
void hatch_guest_rollback(struct hatch_guest *guest)
{
	struct hatch_family *family = guest->family;

	if (!guest->transaction)
		return;
	lock_stage(&guest->stage);
	if (family->keep < family->chunks)
		family->keep = family->chunks;
	put_all_back(guest);
	close(guest);
	unlock_stage(&guest->stage);
}
