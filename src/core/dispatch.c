/* SPDX-License-Identifier: MIT */
/*
 * The long road of an exit: decode the trap, ask the clauses from the innermost scope outward,
 * obey the verdict.
 */
#include <hatch/csr.h>
#include "apply.h"
#include "dispatch.h"
#include "fast.h"
#include "hart.h"
#include "offsets.h"
#include "post.h"

void hatch_try_end(struct hatch_try *t, enum hatch_outcome outcome, int error)
{
	t->outcome = outcome;
	t->error = error;
	t->ended = outcome == HATCH_DONE || outcome == HATCH_FAILED;
	if (outcome == HATCH_UNCAUGHT)
		t->culprit = NULL;
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

/* Does what the answered continuation says. */
static enum settled obey(struct hatch_try *t)
{
	struct hatch_cont *k = &t->cont;

	if (k->verdict == HATCH_UNWIND) {
		t->status = k->status;
		hatch_try_end(t, k->finished ? HATCH_DONE : HATCH_UNWOUND, 0);
		return SETTLED_OVER;
	}
	if (k->verdict == HATCH_CAPTURE) {
		hatch_try_end(t, HATCH_SUSPENDED, 0);
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

/* A handler that returns has left what it pulled: the hart is the guest's again. */
void hatch_leave_strays(const struct hatch_try *t)
{
	const struct hatch_vcpu *vcpu;

	while ((vcpu = hatch_hart_this()->current) != t->vcpu && vcpu && vcpu->running &&
	       vcpu->running->pending)
		hatch_try_leave(vcpu->running);
}

/* What comes of a clause's answer. */
static enum settled settle(struct hatch_try *t, const struct hatch_catch *clause,
			   enum hatch_verdict verdict)
{
	int error;

	hatch_leave_strays(t);
	if (t->observer)
		t->observer(t->observer_arg, &t->event, &t->cont, clause);
	if (verdict == HATCH_PASS && t->cont.verdict == HATCH_PASS)
		return SETTLED_NO;
	t->culprit = clause;
	error = check(t, clause, verdict);
	if (error) {
		hatch_try_end(t, HATCH_FAILED, error);
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
	struct hatch_scope *s = after ? NULL : hatch_fast_scope(t);
	bool first = !after && !s;

	for (s = s ? s : t->innermost; s; s = s->outer) {
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
				hatch_fast_note(t, s, clauses[i]);
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

bool hatch_deadline_passed(struct hatch_try *t)
{
	uint64_t deadline = t->deadline;

	if (hatch_vcpu_time(t->vcpu) < deadline)
		return false;
	hatch_try_set_deadline(t, HATCH_NEVER);
	t->event.kind = HATCH_DEADLINE;
	t->event.deadline.ticks = deadline;
	return true;
}

/*
 * The timer went off: for the try, for the host, or for nobody any more. A deadline is over once
 * it has passed; the host's alarm goes on until the host sets it anew.
 */
static enum settled take_timer(struct hatch_try *t, const struct hatch_trap *trap)
{
	decode_trap(t, trap);
	if (hatch_deadline_passed(t) || hatch_hart_alarm_is_due())
		return offer(t, NULL);
	t->cont.verdict = CLOSED;
	return SETTLED_YES;
}

/*
 * Another hart, or the host here, interrupted the guest: what the vcpu was sent is taken. A kick is
 * an event, too. True: it is for the clauses.
 */
bool hatch_take_post(struct hatch_vcpu *vcpu)
{
	hatch_hart_kick_end();
	hatch_post_take(vcpu);
	return hatch_post_is_kick(vcpu);
}

static enum settled take_soft(struct hatch_try *t, const struct hatch_trap *trap)
{
	if (!hatch_take_post(t->vcpu))
		return SETTLED_YES;
	decode_trap(t, trap);
	return offer(t, NULL);
}

/* What the access of a guest-page fault needed. */
static unsigned int right_of(const struct hatch_trap *trap)
{
	if (hatch_htinst_is_pseudo(trap->htinst))
		return hatch_htinst_pseudo_is_write(trap->htinst) ? HATCH_PROT_WRITE
								  : HATCH_PROT_READ;
	if (trap->scause == CAUSE_STORE_GUEST_PAGE_FAULT)
		return HATCH_PROT_WRITE;
	return trap->scause == CAUSE_FETCH_GUEST_PAGE_FAULT ? HATCH_PROT_EXEC : HATCH_PROT_READ;
}

/*
 * A fault that is no more: between the access and this moment another hart has mapped the page, or
 * given it the right. The clauses are not to see it.
 */
static bool is_stale(const struct hatch_try *t, const struct hatch_trap *trap)
{
	struct hatch_guest *guest = t->vcpu->guest;
	uint64_t harts = __atomic_load_n(&guest->harts, __ATOMIC_RELAXED);
	unsigned int right = right_of(trap);
	struct hatch_mapping m;

	if (!(harts & (harts - 1)) ||
	    hatch_gstage_lookup(&guest->stage, hatch_gpa_of(trap->htval << 2), &m))
		return false;
	return (m.prot & right) && !(m.cow && right == HATCH_PROT_WRITE);
}

static bool is_guest_page_fault(uint64_t scause)
{
	return scause == CAUSE_FETCH_GUEST_PAGE_FAULT || scause == CAUSE_LOAD_GUEST_PAGE_FAULT ||
	       scause == CAUSE_STORE_GUEST_PAGE_FAULT;
}

/* A store, or an update of the guest's own page table, that only the sharing of a page stops. */
static bool is_shared_write(const struct hatch_try *t, const struct hatch_trap *trap)
{
	if (!t->vcpu->guest->family)
		return false;
	return trap->scause == CAUSE_STORE_GUEST_PAGE_FAULT ||
	       (hatch_htinst_is_pseudo(trap->htinst) && hatch_htinst_pseudo_is_write(trap->htinst));
}

/* Gives the guest a page of its own. SETTLED_NO: sharing was not the cause. */
static enum settled unshare(struct hatch_try *t, const struct hatch_trap *trap)
{
	int error = hatch_guest_unshare(t->vcpu->guest, hatch_gpa_of(trap->htval << 2));

	if (!error)
		return SETTLED_YES;
	if (error != HATCH_ENOMEM)
		return SETTLED_NO;
	decode_trap(t, trap);
	hatch_try_end(t, HATCH_FAILED, error);
	return SETTLED_OVER;
}

static enum settled take_trap(struct hatch_try *t, const struct hatch_trap *trap)
{
	if (is_shared_write(t, trap)) {
		enum settled settled = unshare(t, trap);

		if (settled != SETTLED_NO)
			return settled;
	}
	if (trap->scause == (CAUSE_INTERRUPT | IRQ_S_TIMER))
		return take_timer(t, trap);
	if (trap->scause == (CAUSE_INTERRUPT | IRQ_S_SOFT))
		return take_soft(t, trap);
	if (is_guest_page_fault(trap->scause) && is_stale(t, trap))
		return SETTLED_YES;
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

static enum settled take_exit(struct hatch_try *t, int code)
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
		hatch_try_end(t, HATCH_FAILED, HATCH_EFIRMWARE);
		return SETTLED_OVER;
	}
	return take_trap(t, &trap);
}

enum settled hatch_take(struct hatch_try *t, int code)
{
	return catch_thrown(t, take_exit(t, code));
}

enum settled hatch_settle_pending(struct hatch_try *t)
{
	int error;

	t->pending = false;
	t->culprit = NULL; /* the caller is no clause */
	if (t->observer)
		t->observer(t->observer_arg, &t->event, &t->cont, NULL);
	if (t->cont.verdict == HATCH_PASS) {
		hatch_try_end(t, HATCH_UNCAUGHT, 0);
		return SETTLED_OVER;
	}
	error = hatch_apply_check(&t->event, t->cont.verdict);
	if (error) {
		hatch_try_end(t, HATCH_FAILED, error);
		return SETTLED_OVER;
	}
	return catch_thrown(t, obey(t));
}
