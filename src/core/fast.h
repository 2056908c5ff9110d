/* SPDX-License-Identifier: MIT */
/* The fast path: what enter.S calls, and its memory of clauses. */
#ifndef HATCH_CORE_FAST_H
#define HATCH_CORE_FAST_H

#include <hatch/try.h>

/*
 * Called by enter.S: answer the trap, or say why not (offsets.h). Of a hypercall a1 to a7 are
 * the guest's registers as they were: the calling convention hands them over for nothing.
 */
int hatch_fast_hypercall(struct hatch_vcpu *vcpu, uint64_t a1, uint64_t a2, uint64_t a3,
			 uint64_t a4, uint64_t a5, uint64_t function, uint64_t extension);
int hatch_fast_mmio(struct hatch_vcpu *vcpu);
/* The same once the frame holds all registers. */
int hatch_fast_mmio_all(struct hatch_vcpu *vcpu);

/*
 * Another hart has sent something: it is taken, and the guest goes on. A kick is for the long road.
 */
int hatch_fast_soft(struct hatch_vcpu *vcpu);

/* Forgets all hits: the scopes may have changed. */
void hatch_fast_forget(struct hatch_try *t);

/*
 * Notes that `clause`, in this scope, is the first to be asked for t->event: for the long road,
 * and for the fast path if that can serve it.
 */
void hatch_fast_note(struct hatch_try *t, struct hatch_scope *scope,
		     const struct hatch_catch *clause);

/* The scope that was noted for an event like t->event: those inside it have no clause. Or NULL. */
struct hatch_scope *hatch_fast_scope(struct hatch_try *t);

/*
 * Whether the sealed scope has a clause of this kind with a key from first to last. Not for
 * illegal clauses. In seal.c, O(log n).
 */
bool hatch_scope_meets(const struct hatch_scope *scope, enum hatch_kind kind, uint64_t first,
		       uint64_t last);

/* After HATCH_ASKED: makes the fast path's event t->event; returns the clause that was asked. */
const struct hatch_catch *hatch_fast_recall(struct hatch_try *t);

#endif
