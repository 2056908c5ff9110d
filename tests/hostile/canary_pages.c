/* SPDX-License-Identifier: MIT */
/* The guest's own page tables lead to where its memory is not: Privileged ISA 20240411, 12.3. */
#include "canary_guest.h"

#define SV39	     8
#define SV48	     9
#define PTE_V	     0x001
#define PTE_ALL	     0x0cf /* a leaf of VS-mode, with every right, accessed and dirty */
#define PTE_FLAGS    0x3ff
#define ENTRIES	     512
#define SLOT	     1 /* in the tables of 1 GiB and 512 GiB: what leads astray */
#define SHIFT(level) (12 + 9 * (level))

/* One for each level; that of 1 GiB keeps the guest's own RAM where it is. */
static _Alignas(4096) uint64_t tables[4][ENTRIES];

static uint64_t pte_of(uint64_t address, uint64_t flags)
{
	return (address >> 12 & ((UINT64_C(1) << 44) - 1)) << 10 | flags;
}

static uint64_t index_of(unsigned int level, uint64_t at)
{
	return level < 2 ? at >> SHIFT(level) & (ENTRIES - 1) : SLOT;
}

/* The tables of a mode, of which the entry at `level` for the page of `at` is `pte`. */
static void write_tables(unsigned int mode, unsigned int level, uint64_t at, uint64_t pte)
{
	for (unsigned int i = 0; i < 4; i++)
		tables[i][index_of(i, at)] = i == level ? pte
					     : i	? pte_of((uint64_t)tables[i - 1], PTE_V)
							: 0;
	tables[2][CANARY_RAM >> SHIFT(2)] = pte_of(CANARY_RAM, PTE_ALL);
	if (mode == SV48)
		tables[3][0] = pte_of((uint64_t)tables[2], PTE_V);
}

/* The virtual address that is translated by them. */
static uint64_t virtual_of(unsigned int level, uint64_t at)
{
	uint64_t size = UINT64_C(1) << SHIFT(level), base = UINT64_C(SLOT)
							    << SHIFT(level < 3 ? 2 : 3);

	for (unsigned int i = level; i < 2; i++)
		base |= index_of(i, at) << SHIFT(i);
	return base | (at & (size - 1));
}

static void translate(unsigned int mode, const uint64_t *root)
{
	__asm__ volatile("csrw satp, %0\n"
			 "sfence.vma" ::"r"(root ? (uint64_t)mode << 60 | (uint64_t)root >> 12 : 0)
			 : "memory");
}

static uint64_t any_touch(uint64_t at)
{
	switch (canary_any(4)) {
	case 0:
		return canary_atomic(at);
	case 1:
		return canary_fetch(at);
	default:
		return canary_load(at);
	}
}

static uint64_t any_flags(uint64_t flags)
{
	if (!canary_any(4))
		flags = PTE_V | canary_any(PTE_FLAGS + 1);
	return canary_any(8) ? flags : flags | canary_any_bits() << 54;
}

static uint64_t touch_by(unsigned int mode, unsigned int level, uint64_t at, uint64_t pte)
{
	uint64_t value, virtual = virtual_of(level, at);

	write_tables(mode, level, at, pte);
	translate(mode, mode == SV48 ? tables[3] : tables[2]);
	value = any_touch(virtual);
	translate(0, NULL);
	return value;
}

void canary_try_leaf(void)
{
	struct canary_target target = canary_target_outside();
	unsigned int mode = canary_any(2) ? SV39 : SV48;
	unsigned int level = (unsigned int)canary_any(mode == SV48 ? 4 : 3);
	uint64_t base = target.at;

	if (canary_any(8)) /* aligned like its size */
		base &= ~((UINT64_C(1) << SHIFT(level)) - 1);
	canary_got(touch_by(mode, level, target.at, pte_of(base, any_flags(PTE_ALL))),
		   target.foreign);
}

/* Any address below the table that is not the guest's. */
void canary_try_walk(void)
{
	struct canary_target target = canary_target_outside();
	unsigned int mode = canary_any(2) ? SV39 : SV48;
	unsigned int level = 1 + (unsigned int)canary_any(mode == SV48 ? 3 : 2);
	uint64_t pte = pte_of(target.at, canary_any(8) ? PTE_V : any_flags(PTE_V) & ~UINT64_C(0xe));

	canary_got(touch_by(mode, level, canary_any_bits(), pte), target.foreign);
}

/* From then on there are no instructions: the host takes the translation off again. */
void canary_try_root(void)
{
	uint64_t satp = (SV39 + canary_any(3)) << 60 | canary_target_outside().at >> 12;
	register uint64_t a0 __asm__("a0") = satp, a1 __asm__("a1") = satp;

	__asm__ volatile("	la a0, 9f\n"
			 "	li a6, 1\n" /* CANARY_ARM */
			 "	li a7, 0x08434e59\n"
			 "	ecall\n"
			 "	csrw satp, a1\n"
			 "	sfence.vma\n"
			 "9:	csrw satp, zero\n"
			 "	sfence.vma\n"
			 "	li a6, 2\n" /* CANARY_DISARM */
			 "	li a7, 0x08434e59\n"
			 "	ecall\n"
			 : "+r"(a0), "+r"(a1)
			 :
			 : "a6", "a7", "memory");
}
