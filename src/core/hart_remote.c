/* SPDX-License-Identifier: MIT */
/*
 * From one hart to the others, through the firmware; and the fences of this one.
 *
 * RISC-V SBI 2.0, chapters 7 (IPI) and 8 (RFENCE).
 */
#include <hatch/csr.h>
#include "hart.h"
#include "remote.h"

#define SBI_EID_IPI    0x735049
#define SBI_EID_RFENCE 0x52464e43

enum rfence {
	REMOTE_FENCE_I = 0,
	REMOTE_HFENCE_GVMA = 4,
};

/* From this many pages on, forgetting everything is cheaper than naming each. */
#define FENCE_PAGES_MAX 64

static void sbi_call(uint64_t extension, uint64_t function, uint64_t mask, uint64_t base)
{
	register uint64_t a0 __asm__("a0") = mask;
	register uint64_t a1 __asm__("a1") = base;
	register uint64_t a2 __asm__("a2") = 0;		 /* fences: of all addresses */
	register uint64_t a3 __asm__("a3") = UINT64_MAX; /* likewise */
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
}

void hatch_hart_kick(const struct hatch_hart *hart)
{
	sbi_call(SBI_EID_IPI, 0, 1, hart->id);
}

void hatch_hart_kick_end(void)
{
	csr_clear(sip, 1UL << IRQ_S_SOFT);
}

/*
 * The firmware has them all answer before it comes back, whatever they do: no lock of ours can be
 * in its way. It is told no addresses, for old firmware took them for something else.
 */
void hatch_harts_fence_gvma(uint64_t harts)
{
	uint64_t base = 0;

	if (harts == HATCH_HARTS_ALL)
		base = UINT64_MAX;
	else
		harts &= ~(1UL << hatch_hart_this()->id);
	if (!harts)
		return;
	sbi_call(SBI_EID_RFENCE, REMOTE_FENCE_I, harts, base);
	sbi_call(SBI_EID_RFENCE, REMOTE_HFENCE_GVMA, harts, base);
}

uint64_t hatch_harts_mask(const struct hatch_hart *hart)
{
	return hart->id < 63 ? 1UL << hart->id : HATCH_HARTS_ALL;
}

void hatch_hart_hvip(uint64_t set, uint64_t clear)
{
	if (set)
		csr_set(hvip, set);
	if (clear)
		csr_clear(hvip, clear);
}

/* ---- Fences of the current guest: HFENCE.VVMA under its VMID (18.3.2) ---- */

/* The compiler's -march does not know the H extension; its assembler does. */
#define HFENCE(operands, ...)                                                                      \
	__asm__ volatile(".option push\n\t.option arch, +h\n\thfence.vvma " operands               \
			 "\n\t.option pop" ::__VA_ARGS__                                           \
			 : "memory")

/* Pages in the range, the first and the last perhaps in part; 0 when there are too many. */
static uint64_t count_pages(const struct hatch_fence *fence)
{
	const uint64_t room = FENCE_PAGES_MAX * HATCH_PAGE_SIZE;
	uint64_t within = fence->start.addr % HATCH_PAGE_SIZE;

	if (fence->size > room - within)
		return 0;
	return (within + fence->size + HATCH_PAGE_SIZE - 1) >> HATCH_PAGE_SHIFT;
}

static void fence_page(uint64_t addr, const struct hatch_fence *fence)
{
	if (fence->kind == HATCH_FENCE_ASID)
		HFENCE("%0, %1", "r"(addr), "r"(fence->asid));
	else
		HFENCE("%0, zero", "r"(addr));
}

static void fence_vma(const struct hatch_fence *fence)
{
	uint64_t first = fence->start.addr & ~(HATCH_PAGE_SIZE - 1);
	uint64_t pages = count_pages(fence);

	for (uint64_t i = 0; i < pages; i++)
		fence_page(first + (i << HATCH_PAGE_SHIFT), fence);
	if (!pages && fence->kind == HATCH_FENCE_ASID)
		HFENCE("zero, %0", "r"(fence->asid));
	else if (!pages)
		HFENCE("zero, zero", "r"(0UL));
}

void hatch_hart_fence(const struct hatch_fence *fence)
{
	if (fence->kind == HATCH_FENCE_I)
		__asm__ volatile("fence.i" ::: "memory");
	else if (fence->size)
		fence_vma(fence);
}
