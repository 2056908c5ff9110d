/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: all RAM that nobody else uses, in pages, at any power-of-two alignment.
 *
 * Free memory is a list of blocks in the order of their addresses, each described by a header at
 * its own start; neighbours are merged when one is freed. The lowest block that fits is used, so
 * that used memory is used again first and the RAM above stays as it was at boot: zero. That
 * saves the guest that takes most of the machine the time to clear it.
 */
#include <string.h>

#include "virt.h"

/*
 * Invariants: blocks are page-aligned, ascending, and never touch each other; of a block the
 * first `used` bytes may hold old data, and everything behind them is zero. `used` covers the
 * header.
 */
struct block {
	struct block *next;
	uint64_t size; /* bytes */
	uint64_t used; /* bytes */
};

/* Guards `blocks` and `available`. */
static struct hatch_lock lock;
static struct block *blocks;
static uint64_t available;

static uint64_t start_of(const struct block *block)
{
	return (uintptr_t)block;
}

static uint64_t end_of(const struct block *block)
{
	return start_of(block) + block->size;
}

static uint64_t page_up(uint64_t size)
{
	return (size + HATCH_PAGE_SIZE - 1) & ~(HATCH_PAGE_SIZE - 1);
}

/* Writes a block's header. `dirty`: the address up to which old data may stand. */
static struct block *block_make(uint64_t start, uint64_t end, uint64_t dirty, struct block *next)
{
	struct block *block = (struct block *)start;
	uint64_t used = dirty > start ? dirty - start : 0;

	block->next = next;
	block->size = end - start;
	block->used = used > sizeof(*block) ? used : sizeof(*block);
	if (block->used > block->size)
		block->used = block->size;
	return block;
}

/* Joins a block with its successor if they touch. */
static void block_merge(struct block *block)
{
	struct block *next = block->next;

	if (!next || end_of(block) != start_of(next))
		return;
	block->used = block->size + next->used;
	block->size += next->size;
	block->next = next->next;
}

static void block_insert(uint64_t start, uint64_t end, uint64_t dirty)
{
	struct block **link = &blocks, *before = NULL, *block;

	while (*link && start_of(*link) < start) {
		before = *link;
		link = &before->next;
	}
	if ((before && end_of(before) > start) || (*link && start_of(*link) < end))
		virt_die("memory was freed twice, or with a wrong size",
			 "break on virt_die with gdb and look at who called free");
	*link = block = block_make(start, end, dirty, *link);
	available += end - start;
	block_merge(block);
	if (before)
		block_merge(before);
}

/* Takes [at, at + size) out of the block that *link points to, and clears what needs it. */
static void *block_take(struct block **link, uint64_t at, uint64_t size)
{
	struct block *next = (*link)->next;
	uint64_t start = start_of(*link), end = end_of(*link), dirty = start + (*link)->used;

	if (at + size < end)
		next = block_make(at + size, end, dirty, next);
	*link = at > start ? block_make(start, at, dirty, next) : next;
	available -= size;
	if (dirty > at)
		memset((void *)at, 0, dirty - at < size ? dirty - at : size);
	return (void *)at;
}

static void *memory_alloc(void *arg, size_t size, size_t align)
{
	void *found = NULL;

	(void)arg;
	size = page_up(size);
	if (!size || (align & (align - 1)))
		return NULL;
	if (align < HATCH_PAGE_SIZE)
		align = HATCH_PAGE_SIZE;
	hatch_lock_acquire(&lock);
	for (struct block **link = &blocks; *link; link = &(*link)->next) {
		uint64_t at = (start_of(*link) + align - 1) & ~(align - 1);

		if (at < end_of(*link) && end_of(*link) - at >= size) {
			found = block_take(link, at, size);
			break;
		}
	}
	hatch_lock_release(&lock);
	return found;
}

static void memory_free(void *arg, void *p, size_t size)
{
	(void)arg;
	if (!p)
		return;
	size = page_up(size);
	hatch_lock_acquire(&lock);
	block_insert((uintptr_t)p, (uintptr_t)p + size, (uintptr_t)p + size);
	hatch_lock_release(&lock);
}

/* Translation is off in host code: a pointer is the physical address. */
static hatch_hpa memory_physical(void *arg, const void *p)
{
	(void)arg;
	return hatch_hpa_of((uintptr_t)p);
}

static void *memory_pointer(void *arg, hatch_hpa hpa)
{
	(void)arg;
	return (void *)(uintptr_t)hpa.addr;
}

void virt_memory_add(uint64_t base, uint64_t end, bool zero)
{
	hatch_lock_acquire(&lock);
	block_insert(base, end, zero ? base : end);
	hatch_lock_release(&lock);
}

const struct hatch_memory *hatch_board_memory(void)
{
	static const struct hatch_memory memory = {
		.alloc = memory_alloc,
		.free = memory_free,
		.physical = memory_physical,
		.pointer = memory_pointer,
	};

	return &memory;
}

uint64_t hatch_board_memory_free(void)
{
	return available;
}
