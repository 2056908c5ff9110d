/* SPDX-License-Identifier: MIT */
/*
 * A run of a try, from its start to its end; and a try that waits for its answer in between.
 * What becomes of each event: dispatch.c.
 */
#include "confine.h"
#include "dispatch.h"
#include "fast.h"
#include "hart.h"
#include "offsets.h"
#include "post.h"
#include "state.h"

int hatch_try_init(struct hatch_try *t, struct hatch_vcpu *vcpu)
{
	if (!t || !vcpu)
		return HATCH_EINVAL;
	if (vcpu->running)
		return HATCH_EBUSY;
	*t = (struct hatch_try){ .vcpu = vcpu };
	hatch_scope_init(&t->scope, "try", NULL);
	t->innermost = t->own = &t->scope;
	t->cont.vcpu = vcpu;
	t->cont.verdict = CLOSED;
	t->deadline = HATCH_NEVER;
	return 0;
}

int hatch_scope_enter(struct hatch_try *t, struct hatch_scope *scope)
{
	if (!t || !scope)
		return HATCH_EINVAL;
	if (t->entered || t->suspended || scope->sealed)
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
	if (t->entered || t->suspended)
		return HATCH_ESEALED;
	if (t->innermost == t->own)
		return HATCH_ENOENT;
	t->innermost = t->innermost->outer;
	return 0;
}

void hatch_try_set_deadline(struct hatch_try *t, uint64_t ticks)
{
	t->deadline = ticks;
	if (t->vcpu->live)
		hatch_hart_deadline(t->vcpu, ticks);
}

/*
 * The try on this hart in whose handler t is run or ended, and which shares t's clauses: the
 * original of a clone, or a sister. It gets its states back behind that. NULL: none.
 */
static struct hatch_try *find_sister(const struct hatch_try *t)
{
	struct hatch_vcpu *vcpu = hatch_hart_this()->current;

	for (; vcpu && vcpu->running; vcpu = vcpu->running->interrupted)
		if (vcpu->running != t && vcpu->running->own == t->own)
			return vcpu->running;
	return NULL;
}

static void park_sister(const struct hatch_try *t)
{
	struct hatch_try *sister = find_sister(t);

	if (sister)
		hatch_states_park(sister);
}

static void unpark_sister(const struct hatch_try *t)
{
	struct hatch_try *sister = find_sister(t);

	if (sister)
		hatch_states_unpark(sister);
}

/* The states of t's clauses become its own, and are kept for the end of a transaction. */
static int take_states(struct hatch_try *t)
{
	int error;

	park_sister(t);
	error = hatch_states_unpark(t);
	if (!error)
		error = hatch_transaction_begin(t);
	if (error)
		unpark_sister(t);
	return error;
}

/* Tries of the guest's vcpus that this hart is in the middle of. */
static unsigned int count_here(const struct hatch_guest *guest)
{
	unsigned int here = 0;

	for (struct hatch_vcpu *v = hatch_hart_this()->current; v && v->running;
	     v = v->running->interrupted)
		here += v->guest == guest && v->running->entered;
	return here;
}

/* A transaction is one vcpu's: while it runs no other hart may run the guest. */
static int enter_guest(struct hatch_try *t)
{
	struct hatch_guest *guest = t->vcpu->guest;
	unsigned int here = count_here(guest);
	int error = 0;

	hatch_lock_acquire(&guest->entry);
	if (guest->entered > here && (t->transactional || guest->exclusive))
		error = HATCH_EBUSY;
	guest->entered += !error;
	guest->exclusive |= !error && t->transactional;
	hatch_lock_release(&guest->entry);
	return error;
}

static void leave_guest(struct hatch_try *t)
{
	struct hatch_guest *guest = t->vcpu->guest;

	hatch_lock_acquire(&guest->entry);
	guest->exclusive &= --guest->entered != 0;
	hatch_lock_release(&guest->entry);
}

/* Begins a run: from here to leave() the scopes are in force and the vcpu is on this hart. */
static int enter(struct hatch_try *t)
{
	struct hatch_vcpu *vcpu = t->vcpu;
	int error;

	if (t->entered || vcpu->running)
		return HATCH_EBUSY;
	if (t->ended || (t->suspended && !t->pending))
		return HATCH_ESTALE;
	error = enter_guest(t);
	if (error)
		return error;
	error = take_states(t);
	if (error) {
		leave_guest(t);
		return error;
	}
	t->culprit = NULL;
	t->status = 0;
	t->suspended = false;
	for (struct hatch_scope *s = t->innermost; s; s = s->outer)
		hatch_scope_seal(s);
	hatch_fast_forget(t);
	hatch_confine(t);
	t->interrupted = hatch_hart_this()->current;
	if (t->interrupted) {
		hatch_vcpu_put(t->interrupted);
		t->interrupted->frame.leave = HATCH_ANSWERED; /* even if t is never left */
	}
	hatch_vcpu_load(vcpu);
	hatch_hart_deadline(vcpu, t->deadline);
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
		if (s == t->own)
			return;
	}
}

void hatch_hart_forget(const struct hatch_vcpu *forgotten)
{
	struct hatch_vcpu *vcpu = hatch_hart_this()->current;
	struct hatch_try *outer = forgotten->running;

	for (; vcpu && vcpu->running; vcpu = vcpu->running->interrupted)
		if (vcpu->running->interrupted == forgotten)
			vcpu->running->interrupted = outer ? outer->interrupted : NULL;
}

/* The hart goes back to the guest whose handler ran this try, or to nobody. */
static void vacate(struct hatch_try *t)
{
	struct hatch_vcpu *before = t->interrupted;
	bool timed = before && before->running;

	if (hatch_hart_this()->current != t->vcpu) { /* pulled, and another was begun since */
		hatch_hart_forget(t->vcpu);
		return;
	}
	hatch_vcpu_put(t->vcpu);
	hatch_hart_deadline(timed ? before : t->vcpu,
			    timed ? before->running->deadline : HATCH_NEVER);
	if (!before)
		return;
	hatch_vcpu_load(before);
	before->frame.leave = HATCH_ANSWERED;
}

/*
 * t is left before a sister that was begun inside it: the clauses have the sister's states, and
 * t's wait in its image. After this it is the other way round.
 */
static void take_back_states(struct hatch_try *t)
{
	struct hatch_vcpu *vcpu = hatch_hart_this()->current;

	for (; vcpu && vcpu->running && vcpu != t->vcpu; vcpu = vcpu->running->interrupted) {
		if (vcpu->running->own != t->own)
			continue;
		hatch_states_park(vcpu->running);
		hatch_states_unpark(t);
		return;
	}
}

static void leave(struct hatch_try *t)
{
	if (!t->entered)
		return;
	take_back_states(t);
	vacate(t);
	leave_guest(t);
	t->vcpu->running = NULL;
	t->entered = false;
	t->pending = false;
	t->cont.verdict = CLOSED;
	t->cont.pair = t->cont.finished = false; /* of an answer that nobody took */
	t->suspended = t->outcome == HATCH_SUSPENDED;
	for (struct hatch_scope *s = t->innermost; s; s = s->outer)
		hatch_scope_unseal(s);
	if (!t->suspended)
		hatch_transaction_end(t, t->outcome == HATCH_DONE);
	hatch_states_park(t);
	unpark_sister(t);
	if (!t->suspended)
		run_finally(t);
}

/* Runs the guest until an event that no clause took (SETTLED_NO) or the end of the try. */
static enum settled advance(struct hatch_try *t)
{
	struct hatch_host_fp host;
	enum settled settled;

	hatch_vcpu_host_fp_save(&host);
	do {
		hatch_leave_strays(t); /* of a handler on the short road */
		settled = hatch_take(t, hatch_vcpu_run(t->vcpu));
	} while (settled == SETTLED_YES);
	hatch_vcpu_host_fp_restore(t->vcpu, &host);
	return settled;
}

/* Goes on behind the event that the caller had, if there was one. */
static enum settled go_on(struct hatch_try *t)
{
	enum settled settled = t->pending ? hatch_settle_pending(t) : SETTLED_YES;

	return settled == SETTLED_YES ? advance(t) : settled;
}

/* No run took place. A try that runs, or waits for its answer, is none the worse for it. */
static enum hatch_outcome refuse(struct hatch_try *t, int error)
{
	t->error = error;
	if (!t->entered && !t->suspended)
		t->outcome = HATCH_FAILED;
	return HATCH_FAILED;
}

enum hatch_outcome hatch_try_run(struct hatch_try *t)
{
	int error = enter(t);

	if (error)
		return refuse(t, error);
	if (go_on(t) == SETTLED_NO)
		hatch_try_end(t, HATCH_UNCAUGHT, 0);
	leave(t);
	return t->outcome;
}

/* Only who pulled the last event pulls the next one, and of two that are pulled the inner first. */
static int check_pulled(const struct hatch_try *t)
{
	return t->pending && hatch_hart_this()->current == t->vcpu ? 0 : HATCH_EBUSY;
}

const struct hatch_event *hatch_try_next(struct hatch_try *t)
{
	enum settled settled;
	int error = t->entered ? check_pulled(t) : enter(t);

	if (error) {
		refuse(t, error);
		return NULL;
	}
	hatch_post_away(t->vcpu, false);
	settled = go_on(t);
	if (settled == SETTLED_OVER) {
		leave(t);
		return NULL;
	}
	hatch_post_away(t->vcpu, true);
	t->pending = true;
	return &t->event;
}

void hatch_try_leave(struct hatch_try *t)
{
	bool answered = t->pending && t->cont.verdict != HATCH_PASS && !check_pulled(t);

	if (!t->entered || !t->pending)
		return;
	if (!answered || hatch_settle_pending(t) != SETTLED_OVER) {
		hatch_try_end(t, HATCH_UNWOUND, 0);
		t->culprit = NULL;
	}
	leave(t);
}

struct hatch_cont *hatch_cont_reopen(const struct hatch_captured *captured)
{
	struct hatch_try *t = captured->t;

	if (!t || !t->suspended || t->pending || captured->serial != t->serial)
		return NULL;
	t->serial++;
	t->pending = true;
	t->cont.verdict = HATCH_PASS;
	return &t->cont;
}

enum hatch_outcome hatch_cont_resume(const struct hatch_captured *captured, uint64_t value)
{
	struct hatch_cont *k = hatch_cont_reopen(captured);

	if (!k)
		return HATCH_FAILED;
	hatch_resume(k, value);
	return hatch_try_run(captured->t);
}

int hatch_cont_drop(const struct hatch_captured *captured)
{
	struct hatch_try *t = captured->t;

	if (!hatch_cont_reopen(captured))
		return HATCH_ESTALE;
	hatch_try_fini(t);
	run_finally(t);
	return 0;
}

void hatch_try_fini(struct hatch_try *t)
{
	park_sister(t);
	hatch_transaction_end(t, false);
	unpark_sister(t);
	hatch_states_forget(t);
	t->cont.verdict = CLOSED;
	t->suspended = false;
	t->pending = false;
	t->ended = true;
}
