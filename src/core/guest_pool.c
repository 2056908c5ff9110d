/* SPDX-License-Identifier: MIT */
/* The pages that guests of a family write to instead of those that they share. */
#include "guest_share.h"

static void list_add(struct hatch_family *family, struct pool_chunk *chunk)
{
	chunk->previous = NULL;
	chunk->next = family->open;
	if (chunk->next)
		chunk->next->previous = chunk;
	family->open = chunk;
}

static void list_remove(struct hatch_family *family, struct pool_chunk *chunk)
{
	if (chunk->next)
		chunk->next->previous = chunk->previous;
	if (chunk->previous)
		chunk->previous->next = chunk->next;
	else
		family->open = chunk->next;
}

static bool is_full(const struct pool_chunk *chunk)
{
	return !chunk->free;
}

static struct pool_chunk *add_chunk(struct hatch_family *family)
{
	const struct hatch_memory *memory = family->memory;
	struct pool_chunk *chunk = memory->alloc(memory->arg, POOL_CHUNK_SIZE, POOL_CHUNK_SIZE);
	uint64_t pte;

	if (!chunk)
		return NULL;
	pte = pte_of(memory->physical(memory->arg, chunk), 0);
	for (unsigned int i = POOL_PAGES - 1; i; i--) {
		struct hatch_pool_page *page = pool_slot(chunk, i);

		page->pte = pte + ((uint64_t)i << PTE_PPN_SHIFT);
		page->next = chunk->free;
		chunk->free = page;
	}
	list_add(family, chunk);
	family->chunks++;
	family->empty++;
	return chunk;
}

static void free_chunk(struct hatch_family *family, struct pool_chunk *chunk)
{
	list_remove(family, chunk);
	family->chunks--;
	family->empty--;
	family->memory->free(family->memory->arg, chunk, POOL_CHUNK_SIZE);
}

struct hatch_pool_page *hatch_pool_take_any(struct hatch_family *family)
{
	struct pool_chunk *chunk = family->open;
	struct hatch_pool_page *page;

	if (!chunk && !(chunk = add_chunk(family)))
		return NULL;
	page = chunk->free;
	chunk->free = page->next;
	if (chunk->used++ == 0)
		family->empty--;
	if (is_full(chunk))
		list_remove(family, chunk);
	page->refs = 1;
	return page;
}

void hatch_pool_give(struct hatch_family *family, struct hatch_pool_page *page)
{
	struct pool_chunk *chunk = chunk_of(page);

	if (is_full(chunk))
		list_add(family, chunk);
	page->next = chunk->free;
	chunk->free = page;
	if (--chunk->used)
		return;
	if (++family->empty > family->keep)
		free_chunk(family, chunk);
}

void hatch_pool_trim(struct hatch_family *family, uint32_t keep)
{
	struct pool_chunk *chunk, *next;

	family->keep = keep;
	for (chunk = family->open; chunk && family->empty > keep; chunk = next) {
		next = chunk->next;
		if (!chunk->used)
			free_chunk(family, chunk);
	}
}

/* ---- Accounts ---- */

static size_t count_private(const struct hatch_gstage *stage, uint64_t *table, unsigned int level,
			    unsigned int first, unsigned int end)
{
	size_t pages = 0;

	for (uint64_t *entry = table + first; entry < table + end; entry++) {
		if (*entry & PTE_POOL)
			pages += pool_page_of(stage, *entry)->refs == 1;
		else if (*entry && !is_leaf(*entry))
			pages += count_private(stage, table_of(stage, *entry), level - 1, 0,
					       ENTRIES);
	}
	return pages;
}

size_t hatch_guest_private_pages(const struct hatch_guest *guest)
{
	const struct hatch_gstage *stage = &guest->stage;
	size_t pages;

	lock_stage(stage);
	pages = stage->pages + count_private(stage, stage->root, top_level(stage),
					     stage->root_first, stage->root_end);
	unlock_stage(stage);
	return pages;
}
