/* SPDX-License-Identifier: MIT */
/*
 * RAM on demand: a clause that maps a page when the guest touches it for the first time.
 */
#ifndef HATCH_HANDLERS_DEMAND_H
#define HATCH_HANDLERS_DEMAND_H

#include <hatch/catch.h>

/*
 * The user owns it. One lock would guard all of it and the guest's tables. The region may be
 * changed by others too (protected, its pages taken away): the clause passes what it cannot mend.
 * Invariants: every mapped piece of the region that this clause mapped is `piece` bytes, aligned
 * to its size, and counted in `used`; used <= limit.
 */
struct hatch_demand {
	struct hatch_guest *guest;
	hatch_gpa base;
	uint64_t size;
	uint64_t piece; /* bytes mapped at a time: 4 KiB, or 2 MiB for fewer exits */
	uint64_t limit; /* bytes that the guest may have of the region */
	uint64_t used;	/* bytes that it has */
	struct hatch_catch clause;
};

/*
 * Adds [base, base + size) to the guest as RAM without pages and prepares the clause. `piece` is
 * 4 KiB or 2 MiB; base and size are multiples of it. At most `limit` bytes are ever given.
 * Add demand->clause to a scope. When the limit or the memory is reached the clause unwinds the
 * try with status HATCH_ENOMEM: only this guest stops, and it can go on once there is more.
 * Errors: HATCH_EINVAL (piece, alignment), and those of hatch_guest_add_lazy.
 */
int hatch_demand_init(struct hatch_demand *demand, struct hatch_guest *guest, hatch_gpa base,
		      uint64_t size, uint64_t piece, uint64_t limit);

/* Takes all pages back. The guest finds none there any more; the region stays. */
void hatch_demand_fini(struct hatch_demand *demand);

#endif
