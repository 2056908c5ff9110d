/* SPDX-License-Identifier: MIT */
/* The part of a guest that touches the hardware: its translation's mode and fences. */
#include <hatch/guest.h>
#include <hatch/hart.h>
#include "remote.h"

/* Beyond this many pages one fence for everything is cheaper than one for each. */
#define FENCE_PAGES 64

/*
 * Orders a change of the tables before the hart's next use of them (18.3.2). All VMIDs: a
 * guest's vcpus have one each. FENCE.I, because a page may have taken the place of another one,
 * with instructions that the host has stored there; the guest knows nothing of it.
 */
static void fence_here(hatch_gpa gpa, uint64_t size)
{
	__asm__ volatile("fence.i" ::: "memory");
	if (size > FENCE_PAGES * HATCH_PAGE_SIZE) {
		__asm__ volatile(".option push\n.option arch, +h\nhfence.gvma\n.option pop" ::
					 : "memory");
		return;
	}
	for (uint64_t at = 0; at < size; at += HATCH_PAGE_SIZE)
		__asm__ volatile(
			".option push\n.option arch, +h\nhfence.gvma %0, x0\n.option pop" ::"r"(
				(gpa.addr + at) >> 2)
			: "memory");
}

/* A hart that is not in the set yet forgets everything when it gets there (vcpu_hw.c). */
static void fence(struct hatch_gstage *stage, hatch_gpa gpa, uint64_t size)
{
	struct hatch_guest *guest =
		(struct hatch_guest *)((char *)stage - offsetof(struct hatch_guest, stage));

	fence_here(gpa, size);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hatch_harts_fence_gvma(__atomic_load_n(&guest->harts, __ATOMIC_RELAXED));
}

int hatch_guest_init(struct hatch_guest *guest, const struct hatch_memory *memory)
{
	enum hatch_gstage_mode mode = hatch_hart_facts()->gstage_mode;
	int error;

	*guest = (struct hatch_guest){ .regions = 0 };
	if (mode != HATCH_SV39X4 && mode != HATCH_SV48X4)
		return HATCH_ENOTSUP;
	error = hatch_gstage_init(&guest->stage, memory, mode, 0);
	guest->stage.fence = fence;
	return error;
}
