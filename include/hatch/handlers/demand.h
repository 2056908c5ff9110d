/* SPDX-License-Identifier: MIT */
/*
 * RAM on demand: a clause that maps a page when the guest touches it for the first time.
 */
#ifndef HATCH_HANDLERS_DEMAND_H
#define HATCH_HANDLERS_DEMAND_H

#include <hatch/catch.h>

struct hatch_demand_record;

/*
 * The user owns it. `lock` guards `used` and `record`: the guest's vcpus may touch pages on several
 * harts at once. The region may be changed by others too (protected, its pages taken away): the
 * clause passes what it cannot mend.
 * Invariants: every piece that this clause mapped is `piece` bytes, aligned to its size, in the
 * record, and counted in `used`; used <= limit.
 *
 * It has no state to be saved with the guest. A clone that touches a page gets one of its own,
 * which stays the clause's, as do all others: clones of the clone may share it. A rollback empties
 * the pages that were mapped meanwhile, and leaves them mapped. So `used` only grows, and the
 * limit is one for the guest and its clones together: what the host gives away at most, copies of
 * shared pages aside.
 */
struct hatch_demand {
	struct hatch_guest *guest;
	hatch_gpa base;
	uint64_t size;
	uint64_t piece; /* bytes mapped at a time: 4 KiB, or 2 MiB for fewer exits */
	uint64_t limit; /* bytes that the guest and its clones may have of the region */
	uint64_t used;	/* bytes that they have */
	struct hatch_lock lock;
	struct hatch_demand_record *record; /* which, newest first; 16 bytes for each piece */
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

/*
 * Takes all pages back. The guest finds none there any more; the region stays. End its clones
 * before: they would go on using pages that are somebody else's. No transaction may be open.
 */
void hatch_demand_fini(struct hatch_demand *demand);

#endif
