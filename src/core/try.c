/* SPDX-License-Identifier: MIT */
/*
 * The long road of an exit: decode the trap, ask the clauses from the innermost scope outward,
 * obey the verdict, back to the guest.
 */
#include <hatch/csr.h>
#include <hatch/try.h>
#include "apply.h"
#include "confine.h"
#include "fast.h"
#include "hart.h"
#include "offsets.h"

/* Any value but PASS refuses answers. */
#define CLOSED HATCH_VERDICTS

int hatch_try_init(struct hatch_try *t, struct hatch_vcpu *vcpu)
{
	if (!t || !vcpu)
		return HATCH_EINVAL;
	if (vcpu->running)
		return HATCH_EBUSY;
	*t = (struct hatch_try){ .vcpu = vcpu };
	hatch_scope_init(&t->scope, "try", NULL);
	t->innermost = &t->scope;
	t->cont.vcpu = vcpu;
	t->cont.verdict = CLOSED;
	return 0;
}

int hatch_scope_enter(struct hatch_try *t, struct hatch_scope *scope)
{
	if (!t || !scope)
		return HATCH_EINVAL;
	if (t->entered || scope->sealed)
		return HATCH_ESEALED;
	for (const struct hatch_scope *s = t->innermost; s; s = s->outer)
		if (s == scope)
			return HATCH_EINVAL;
	scope->outer = t->innermost;
	t->innermost = scope;
	return 0;
}

int hatch_scope_leave(struct hatch_try *t)
{
	if (t->entered)
		return HATCH_ESEALED;
	if (t->innermost == &t->scope)
		return HATCH_ENOENT;
	t->innermost = t->innermost->outer;
	return 0;
}

static void end(struct hatch_try *t, enum hatch_outcome outcome, int error)
{
	t->outcome = outcome;
	t->error = error;
	t->ended = outcome == HATCH_DONE || outcome == HATCH_FAILED;
	if (outcome == HATCH_UNCAUGHT)
		t->culprit = NULL;
}

/* Begins a run: from here to leave() the scopes are in force and the vcpu is on this hart. */
static int enter(struct hatch_try *t)
{
	struct hatch_vcpu *vcpu = t->vcpu;

	t->culprit = NULL;
	t->status = 0;
	if (t->ended)
		return HATCH_ESTALE;
	if (vcpu->running)
		return HATCH_EBUSY;
	for (struct hatch_scope *s = t->innermost; s; s = s->outer)
		hatch_scope_seal(s);
	hatch_fast_forget(t);
	hatch_confine(t);
	t->interrupted = hatch_hart_this()->current;
	if (t->interrupted)
		hatch_vcpu_put(t->interrupted);
	hatch_vcpu_load(vcpu);
	vcpu->running = t;
	t->entered = true;
	return 0;
}

/* The finally clauses of the try's own scopes, innermost first. What lies outside goes on. */
static void run_finally(struct hatch_try *t)
{
	for (struct hatch_scope *s = t->innermost; s; s = s->outer) {
		for (struct hatch_finally *f = s->finally; f; f = f->next)
			f->run(f->arg);
		if (s == &t->scope)
			return;
	}
}

static void leave(struct hatch_try *t)
{
	if (!t->entered)
		return;
	hatch_vcpu_put(t->vcpu);
	t->vcpu->running = NULL;
	t->entered = false;
	t->pending = false;
	t->cont.verdict = CLOSED;
	for (struct hatch_scope *s = t->innermost; s; s = s->outer)
		hatch_scope_unseal(s);
	if (t->interrupted) {
		hatch_vcpu_load(t->interrupted);
		t->interrupted->frame.leave = HATCH_ANSWERED;
	}
	run_finally(t);
}

/* Fills t->event from the trap that hatch_enter came back with. */
static void decode_trap(struct hatch_try *t, const struct hatch_trap *trap)
{
	struct hatch_vcpu *vcpu = t->vcpu;
	uint32_t fetched = 0;

	if (hatch_event_needs_fetch(trap, vcpu))
		fetched = hatch_vcpu_fetch(vcpu);
	hatch_event_decode(&t->event, trap, vcpu, fetched);
	if (t->event.kind == HATCH_MMIO && t->event.mmio.fp && vcpu->fp_live) {
		hatch_vcpu_fp_save(vcpu);
		hatch_event_decode(&t->event, trap, vcpu, fetched);
	}
	t->cont.verdict = HATCH_PASS;
	t->cont.tval = trap->stval;
}

enum settled {
	SETTLED_NO,	/* passed: ask on */
	SETTLED_YES,	/* answered: the guest goes on */
	SETTLED_OVER,	/* the try is over */
	SETTLED_THROWN, /* another trap took its place: catch_thrown */
};

/* Does what the answered continuation says. */
static enum settled obey(struct hatch_try *t)
{
	struct hatch_cont *k = &t->cont;

	if (k->verdict == HATCH_UNWIND) {
		t->status = k->status;
		end(t, k->finished ? HATCH_DONE : HATCH_UNWOUND, 0);
		return SETTLED_OVER;
	}
	if (k->verdict == HATCH_THROW)
		return SETTLED_THROWN;
	if (k->verdict == HATCH_INJECT)
		hatch_vcpu_inject(t->vcpu, k->value, k->second);
	else
		hatch_apply(t->vcpu, &t->event, k);
	if (t->event.kind == HATCH_MMIO && t->event.mmio.fp && !t->event.mmio.write)
		hatch_vcpu_fp_dirty(); /* as the load itself would have done */
	k->verdict = CLOSED;
	return SETTLED_YES;
}

static int check(const struct hatch_try *t, const struct hatch_catch *clause,
		 enum hatch_verdict verdict)
{
	const struct hatch_cont *k = &t->cont;

	if (verdict == HATCH_REFUSED && k->error)
		return k->error;
	if (verdict != k->verdict || !(clause->may & HATCH_MAY(verdict)))
		return HATCH_EVERDICT;
	return hatch_apply_check(&t->event, verdict);
}

/* What comes of a clause's answer. */
static enum settled settle(struct hatch_try *t, const struct hatch_catch *clause,
			   enum hatch_verdict verdict)
{
	int error;

	if (t->observer)
		t->observer(t->observer_arg, &t->event, &t->cont, clause);
	if (verdict == HATCH_PASS && t->cont.verdict == HATCH_PASS)
		return SETTLED_NO;
	t->culprit = clause;
	error = check(t, clause, verdict);
	if (error) {
		end(t, HATCH_FAILED, error);
		return SETTLED_OVER;
	}
	return obey(t);
}

static enum settled ask(struct hatch_try *t, const struct hatch_catch *clause)
{
	if (t->event.kind == HATCH_MMIO)
		t->event.mmio.offset = t->event.mmio.gpa.addr - clause->first;
	return settle(t, clause, clause->handler(clause->arg, &t->event, &t->cont));
}

/*
 * Offers t->event to every clause that catches it, innermost scope first; in one scope first
 * the clause of its key, then the one for any event. Begins behind `after`, if that is given.
 */
static enum settled offer(struct hatch_try *t, const struct hatch_catch *after)
{
	bool first = !after;

	for (struct hatch_scope *s = t->innermost; s; s = s->outer) {
		const struct hatch_catch *clauses[2] = { hatch_scope_find(s, &t->event), s->any };

		for (unsigned int i = 0; i < 2; i++) {
			enum settled settled;

			if (!clauses[i])
				continue;
			if (after) {
				after = clauses[i] == after ? NULL : after;
				continue;
			}
			if (first)
				hatch_fast_note(t, clauses[i]);
			first = false;
			settled = ask(t, clauses[i]);
			if (settled != SETTLED_NO)
				return settled;
		}
	}
	return SETTLED_NO;
}

/* The fast path asked a clause and got an answer that is not its business. */
static enum settled take_over(struct hatch_try *t)
{
	const struct hatch_catch *asked = hatch_fast_recall(t);
	enum settled settled = settle(t, asked, t->fast_verdict);

	return settled == SETTLED_NO ? offer(t, asked) : settled;
}

/*
 * Finishes the delegation of an exception that the guest should have got without us: some
 * firmware brings illegal instructions here whatever hedeleg says.
 */
static bool is_delegated(const struct hatch_vcpu *vcpu, const struct hatch_trap *trap)
{
	return trap->scause < 64 && (vcpu->confine.hedeleg >> trap->scause & 1);
}

static enum settled take_trap(struct hatch_try *t, const struct hatch_trap *trap)
{
	if (is_delegated(t->vcpu, trap)) {
		hatch_vcpu_inject(t->vcpu, trap->scause, trap->stval);
		return SETTLED_YES;
	}
	decode_trap(t, trap);
	return offer(t, NULL);
}

/* The answer was another trap: as if it had come from the guest. That one is not thrown again. */
static enum settled catch_thrown(struct hatch_try *t, enum settled settled)
{
	return settled == SETTLED_THROWN ? take_trap(t, &t->cont.thrown) : settled;
}

static enum settled take(struct hatch_try *t, int code)
{
	struct hatch_trap trap;

	if (code == HATCH_ANSWERED)
		return SETTLED_YES;
	if (code == HATCH_ASKED)
		return take_over(t);
	hatch_vcpu_trap(&trap);
	if (!(csr_read(hstatus) & HSTATUS_SPV))
		hatch_hart_this()->report(&t->vcpu->frame, &trap);
	if (hatch_vcpu_is_lost(t->vcpu)) {
		t->event = (struct hatch_event){ .kind = HATCH_ILLEGAL };
		end(t, HATCH_FAILED, HATCH_EFIRMWARE);
		return SETTLED_OVER;
	}
	return take_trap(t, &trap);
}

/* Runs the guest until an event that no clause took (SETTLED_NO) or the end of the try. */
static enum settled advance(struct hatch_try *t)
{
	struct hatch_host_fp host;
	enum settled settled;

	hatch_vcpu_host_fp_save(&host);
	do
		settled = catch_thrown(t, take(t, hatch_vcpu_run(t->vcpu)));
	while (settled == SETTLED_YES);
	hatch_vcpu_host_fp_restore(t->vcpu, &host);
	return settled;
}

enum hatch_outcome hatch_try_run(struct hatch_try *t)
{
	int error = t->entered ? HATCH_EBUSY : enter(t);

	if (error) {
		end(t, HATCH_FAILED, error);
		return t->outcome;
	}
	if (advance(t) == SETTLED_NO)
		end(t, HATCH_UNCAUGHT, 0);
	leave(t);
	return t->outcome;
}

/* Settles the event that the caller of hatch_try_next had. */
static enum settled settle_pending(struct hatch_try *t)
{
	int error;

	t->pending = false;
	if (t->observer)
		t->observer(t->observer_arg, &t->event, &t->cont, NULL);
	if (t->cont.verdict == HATCH_PASS) {
		end(t, HATCH_UNCAUGHT, 0);
		return SETTLED_OVER;
	}
	error = hatch_apply_check(&t->event, t->cont.verdict);
	if (error) {
		end(t, HATCH_FAILED, error);
		return SETTLED_OVER;
	}
	return catch_thrown(t, obey(t));
}

const struct hatch_event *hatch_try_next(struct hatch_try *t)
{
	enum settled settled = SETTLED_YES;
	int error = t->entered ? 0 : enter(t);

	if (error) {
		end(t, HATCH_FAILED, error);
		return NULL;
	}
	if (t->pending)
		settled = settle_pending(t);
	if (settled == SETTLED_YES)
		settled = advance(t);
	if (settled == SETTLED_OVER) {
		leave(t);
		return NULL;
	}
	t->pending = true;
	return &t->event;
}

void hatch_try_leave(struct hatch_try *t)
{
	if (!t->entered)
		return;
	if (t->pending && t->cont.verdict != HATCH_PASS) {
		if (settle_pending(t) != SETTLED_OVER)
			end(t, HATCH_UNWOUND, 0);
	} else {
		end(t, HATCH_UNWOUND, 0);
	}
	leave(t);
}
