/* SPDX-License-Identifier: MIT */
/*
 * A continuation: the rest of the guest's program, waiting for an answer.
 */
#ifndef HATCH_CONT_H
#define HATCH_CONT_H

#include <hatch/csr.h>
#include <hatch/event.h>

/* What becomes of the guest. Handlers get these from the functions below, or return PASS. */
enum hatch_verdict {
	HATCH_NO_VERDICT = -1, /* none was given yet; also makes the type signed, as a0 is */
	HATCH_PASS = 0,	       /* not mine: ask the next clause, then the outer scope */
	HATCH_RESUME,	       /* here is the answer; go on behind the instruction */
	HATCH_SKIP,	       /* go on behind the instruction, answer nothing */
	HATCH_RETRY,	       /* run the same instruction again */
	HATCH_INJECT,	       /* raise an exception in the guest */
	HATCH_UNWIND,	       /* leave the try */
	HATCH_THROW,	       /* go on as if the instruction had trapped another way */
	HATCH_CAPTURE,	       /* suspend the try; whoever holds the continuation answers later */
	HATCH_REFUSED,	       /* the answer was not taken; hatch_cont.error says why */
	HATCH_VERDICTS,
};

/* Bits for hatch_catch.may */
#define HATCH_MAY(verdict) (1U << (verdict))
#define HATCH_MAY_ALL	   ((1U << HATCH_REFUSED) - 1)

/*
 * Invariants: `verdict` is PASS exactly while the event waits for its answer; one-shot: the first
 * answer wins, every later one is refused with HATCH_ESTALE, and so is one between two events.
 * `pair` is false when an event begins.
 */
struct hatch_cont {
	enum hatch_verdict verdict;
	int error;	 /* why an answer was refused: enum hatch_error */
	uint64_t value;	 /* RESUME: the result. INJECT: the cause */
	uint64_t second; /* RESUME with a pair: a1. INJECT: stval */
	bool pair;
	bool finished; /* UNWIND: the guest is done, the try cannot be run again */
	long status;   /* UNWIND: what the try leaves with */
	uint64_t tval; /* the trap's stval */
	struct hatch_vcpu *vcpu;
	struct hatch_trap thrown; /* THROW */
};

/* Notes a second answer and returns HATCH_REFUSED. */
enum hatch_verdict hatch_cont_refuse(struct hatch_cont *k, int error);

/*
 * Resumes with a value: the guest goes on behind the instruction with `value` as its result.
 * hypercall: a0; MMIO load: rd, cut and extended to the load's width; CSR and illegal
 * instruction: rd; store, wfi, breakpoint: no result, the value is ignored.
 */
static inline enum hatch_verdict hatch_resume(struct hatch_cont *k, uint64_t value)
{
	if (k->verdict)
		return hatch_cont_refuse(k, HATCH_ESTALE);
	k->value = value;
	return k->verdict = HATCH_RESUME;
}

/* Resumes a hypercall with two values: a0 and a1 (SBI: error and value). */
static inline enum hatch_verdict hatch_resume_pair(struct hatch_cont *k, uint64_t a0, uint64_t a1)
{
	if (k->verdict)
		return hatch_cont_refuse(k, HATCH_ESTALE);
	k->second = a1;
	k->pair = true;
	return hatch_resume(k, a0);
}

/* Steps over the instruction; no register changes. */
enum hatch_verdict hatch_skip(struct hatch_cont *k);

/* Runs the instruction again: the handler has mended what made it trap. */
enum hatch_verdict hatch_retry(struct hatch_cont *k);

/* Raises exception `cause` (CAUSE_...) with `tval` in the guest's own VS-mode handler. */
enum hatch_verdict hatch_inject(struct hatch_cont *k, uint64_t cause, uint64_t tval);

/*
 * Throws another trap in place of the event's own: the clauses are asked anew, as if the guest's
 * instruction had trapped that way. The trap is one that hatch_cont_load or hatch_cont_store
 * (access.h) met: so a page that is missing is mapped by whoever maps pages, and the instruction
 * runs again; and a fault of the guest's own making is handed to the guest.
 * Errors: HATCH_EINVAL (the trap is no page or access fault of a load or store).
 */
enum hatch_verdict hatch_throw(struct hatch_cont *k, const struct hatch_trap *trap);

/*
 * Leaves the try with `status`. The guest stands where it was: hatch_try_run goes on from there,
 * and the same instruction traps again.
 */
enum hatch_verdict hatch_unwind(struct hatch_cont *k, long status);

/* Leaves the try with `status` for good: the guest's program has ended. */
enum hatch_verdict hatch_finish(struct hatch_cont *k, long status);

/*
 * A continuation that was taken out of its catch: a suspended try, as a value. It may be copied,
 * queued and stored; the try that it is of must live as long. Of all copies one can be used, once.
 */
struct hatch_captured {
	struct hatch_try *t; /* the event that waits: t->event */
	uint64_t serial;     /* owned by the framework: which capture of that try */
};

/*
 * Suspends the try: its run returns HATCH_SUSPENDED, no finally clause runs, and the answer is
 * given later through *captured, from any scope, any handler or hart. Fills *captured.
 * Refused with HATCH_EINVAL when the try does not run (a continuation that was opened again).
 */
enum hatch_verdict hatch_cont_capture(struct hatch_cont *k, struct hatch_captured *captured);

/*
 * Opens the continuation again, for any answer; hatch_try_run(captured->t), or hatch_try_next,
 * then goes on with it. Left without an answer the event is uncaught.
 * NULL: HATCH_ESTALE, it was used or dropped before. The try is not touched then.
 */
struct hatch_cont *hatch_cont_reopen(const struct hatch_captured *captured);

/*
 * Drops the continuation: the finally clauses of the try's own scopes run, innermost first, and
 * the try has ended. Errors: HATCH_ESTALE (used or dropped before).
 */
int hatch_cont_drop(const struct hatch_captured *captured);

/*
 * A guest register x0 to x31. In a handler of a hypercall or MMIO clause all registers are there
 * only when the clause has `registers` set (what is not read is not saved).
 * Errors: HATCH_EINVAL (n > 31, or a register that was not saved: set `registers`).
 */
int hatch_cont_get(const struct hatch_cont *k, unsigned int n, uint64_t *value);
int hatch_cont_set(struct hatch_cont *k, unsigned int n, uint64_t value);

/*
 * A guest register f0 to f31, all 64 bits: a narrower value stands there NaN-boxed, and whoever
 * writes one boxes it (Unprivileged ISA 20240411, 21.2). The first access of an event costs the
 * saving of all of them. Writing marks the guest's floating-point state dirty.
 * Errors: HATCH_EINVAL (n > 31), HATCH_ENOTSUP (the guest has switched floating point off: its
 * instruction is an illegal one, inject that).
 */
int hatch_cont_get_f(struct hatch_cont *k, unsigned int n, uint64_t *value);
int hatch_cont_set_f(struct hatch_cont *k, unsigned int n, uint64_t value);

/*
 * The guest's fcsr: accrued flags in bits 4:0, dynamic rounding mode in bits 7:5 (21.1).
 * Errors: HATCH_ENOTSUP, as above.
 */
int hatch_cont_get_fcsr(struct hatch_cont *k, uint64_t *fcsr);
int hatch_cont_set_fcsr(struct hatch_cont *k, uint64_t fcsr);

/* The guest's pc: the address of the instruction that trapped, guest-virtual. */
hatch_gva hatch_cont_pc(const struct hatch_cont *k);

/*
 * The trap's stval: the faulting guest-virtual address or the instruction, by kind of event.
 * Of a hypercall or system call it means nothing.
 */
uint64_t hatch_cont_tval(const struct hatch_cont *k);

/* Whether the guest was in VU-mode. */
bool hatch_cont_is_user(const struct hatch_cont *k);

#endif
