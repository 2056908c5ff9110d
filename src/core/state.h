/* SPDX-License-Identifier: MIT */
/* What clauses know of their guest, as bytes; and what keeps it: clones and transactions. */
#ifndef HATCH_CORE_STATE_H
#define HATCH_CORE_STATE_H

#include <hatch/try.h>

/* All states of the scopes that are in force in t, one behind the other, each aligned to 8. */
size_t hatch_states_size(const struct hatch_try *t);
void hatch_states_save(const struct hatch_try *t, void *to);
/* Errors: the first that a restore gave; what comes behind it is as it was. */
int hatch_states_restore(const struct hatch_try *t, const void *from);

/* The guest's memory is about to be put back: see hatch_state's `stop`. */
void hatch_states_stop(const struct hatch_try *t);

/* Whether the registers of t's vcpu are the only ones that the guest has: see hatch_state. */
bool hatch_states_are_alone(const struct hatch_try *t);

/* Of one state, with what keeps the next one aligned. */
static inline size_t hatch_state_room(const struct hatch_state *state)
{
	return (state->size + 7) & ~(size_t)7;
}

/*
 * The states of a try that was cloned, between its runs: clones share the clauses. `unpark` gives
 * them to the clauses when a run begins, `park` takes them when it is over.
 */
int hatch_states_unpark(struct hatch_try *t);
void hatch_states_park(struct hatch_try *t);

/* Makes room for that and fills it. Errors: HATCH_ENOMEM. */
int hatch_states_keep(struct hatch_try *t);
void hatch_states_forget(struct hatch_try *t);

/* Opens the transaction of a transactional try, if it is not open. Errors: HATCH_ENOMEM, HATCH_EBUSY. */
int hatch_transaction_begin(struct hatch_try *t);

/* Ends it, if one is open: keeps or undoes what was done. The vcpu is not live. */
void hatch_transaction_end(struct hatch_try *t, bool keep);

/* Copies what a vcpu's program sees of it: registers and CSRs; neither is live. In vcpu.c. */
void hatch_vcpu_copy(struct hatch_vcpu *to, const struct hatch_vcpu *from);

#endif
