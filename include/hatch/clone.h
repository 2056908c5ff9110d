/* SPDX-License-Identifier: MIT */
/*
 * Clones: one catch, resumed more than once.
 */
#ifndef HATCH_CLONE_H
#define HATCH_CLONE_H

#include <hatch/try.h>

/*
 * A second suspended try at the same catch. The user owns it and uses `captured`, and reads `t`
 * when a run is over; must not be moved.
 */
struct hatch_clone {
	struct hatch_captured captured;
	struct hatch_try t;
	struct hatch_vcpu vcpu;
	struct hatch_guest guest;
};

/*
 * Clones a captured continuation, which stays as good as it was. The clone stands at the same
 * event, with the same registers, the states of the clauses as they were at the catch, and the
 * same memory, shared until one of the two writes to it (hatch_guest_clone tells what is shared
 * for good). It runs with the same scopes and clauses, which must outlive it, as must the try
 * that was captured; of each continuation that ends, the finally clauses run. A transaction that
 * is open in the original does not extend to the clone. Other vcpus of the guest are not cloned.
 *
 * Between two runs the clauses' states belong to no continuation in particular, once one was
 * cloned: each run begins with the states that its own last run left.
 *
 * Errors: HATCH_EINVAL (NULL), HATCH_ESTALE (the continuation was used or dropped), HATCH_ENOMEM.
 * On failure there is no clone and nothing to give back.
 */
int hatch_cont_clone(const struct hatch_captured *captured, struct hatch_clone *clone);

/*
 * Ends the clone and gives back its memory. A continuation that is still out is dropped.
 * Errors: HATCH_EBUSY (it runs; nothing is changed).
 */
int hatch_clone_fini(struct hatch_clone *clone);

#endif
