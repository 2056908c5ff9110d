/* SPDX-License-Identifier: MIT */
/* The model: what becomes of an event. */
#include "model.h"

/* ---- Answers ---- */

int model_give(struct model_try *t, int verdict, const struct plan_item *item, uint64_t value)
{
	if (t->k.verdict != OPEN) {
		t->k.error = HATCH_ESTALE;
		return HATCH_REFUSED;
	}
	t->k.item = item;
	t->k.value = value;
	return t->k.verdict = verdict;
}

int model_refuse(struct model_try *t, int error)
{
	t->k.error = error;
	return HATCH_REFUSED;
}

int model_capture(struct model_try *t, const struct plan_item *item)
{
	int verdict = t->entered ? model_give(t, HATCH_CAPTURE, item, 0)
				 : model_refuse(t, HATCH_EINVAL);

	if (verdict == HATCH_CAPTURE) {
		model.slot[item->slot].t = (int)(t - model.t);
		model.slot[item->slot].serial = t->serial;
	}
	return verdict;
}

/* ---- Running ---- */

/* The event has come to its end. */
static void pass_on(struct model_try *t, struct seen seen)
{
	t->behind = true;
	t->found = seen;
}

/* The guest goes on, to its next event. */
static void proceed(struct model_try *t)
{
	if (t->behind)
		t->seen[t->at] = t->found;
	if (t->behind && t->at < PLAN_EVENTS - 1)
		t->at = plan_next(model.plan, t->guest, t->at + 1);
	t->behind = false;
}

/* Whether a clause in force is of this kind (and takes this very event, if one is given). */
static bool is_wanted(const struct model_try *t, enum hatch_kind kind, const struct plan_event *ev)
{
	for (int s = t->innermost; s != NOWHERE; s = model.scope[s].outer)
		for (int i = 0; i < PLAN_CLAUSES; i++)
			if (model.where[i] == s && model.plan->script[i].kind == kind &&
			    (!ev || model_catches(&model.plan->script[i], ev)))
				return true;
	return false;
}

/* What no clause asks for is the guest's own business. */
static bool is_kept(const struct model_try *t, const struct plan_event *ev, struct seen *seen)
{
	*seen = (struct seen){ .how = SEEN_OWN_FAULT };
	switch (ev->kind) {
	case HATCH_ILLEGAL:
		seen->value = CAUSE_ILLEGAL_INSTRUCTION;
		return !is_wanted(t, ev->kind, NULL);
	case HATCH_BREAKPOINT:
		seen->value = CAUSE_BREAKPOINT;
		return !is_wanted(t, ev->kind, NULL);
	case HATCH_SYSCALL:
		seen->value = CAUSE_USER_ECALL;
		return !is_wanted(t, ev->kind, NULL);
	case HATCH_WFI:
		seen->how = SEEN_STEPPED;
		return !is_wanted(t, ev->kind, NULL);
	case HATCH_CSR:
		seen->how = SEEN_OWN;
		return ev->key >= CSR_CYCLE && ev->key <= CSR_INSTRET &&
		       !is_wanted(t, ev->kind, ev);
	case HATCH_FAULT: /* guest-page faults and what is worse always come to the host */
		return ev->key < CAUSE_FETCH_GUEST_PAGE_FAULT && !is_wanted(t, ev->kind, ev);
	default:
		return false;
	}
}

static enum model_settled offer(struct model_try *t);

enum model_settled model_end(struct model_try *t, enum hatch_outcome outcome, int error)
{
	t->outcome = outcome;
	t->error = error;
	t->ended = outcome == HATCH_DONE || outcome == HATCH_FAILED;
	return OVER;
}

/* The instruction now traps another way. */
static enum model_settled throw_(struct model_try *t, uint64_t cause, uint64_t address)
{
	struct seen seen;
	bool guest_page = cause == CAUSE_LOAD_GUEST_PAGE_FAULT ||
			  cause == CAUSE_STORE_GUEST_PAGE_FAULT;
	bool ram = address - PLAN_RAM < PLAN_RAM_SIZE || address - PLAN_LAZY < PLAN_LAZY_SIZE;

	t->event =
		(struct plan_event){ .kind = HATCH_FAULT, .key = cause, .length = t->event.length };
	if (guest_page && ram) {
		t->event.kind = HATCH_PAGE;
		t->event.key = address;
		t->event.write = cause == CAUSE_STORE_GUEST_PAGE_FAULT;
	}
	if (!is_kept(t, &t->event, &seen)) {
		t->k.verdict = OPEN;
		return offer(t);
	}
	pass_on(t, (struct seen){ SEEN_FAULT, false, cause, address });
	return GOES_ON;
}

/* Does what the answer says. */
static enum model_settled obey(struct model_try *t)
{
	const struct plan_item *item = t->k.item;
	enum plan_say how = item ? item->say : SAY_RESUME;
	int verdict = t->k.verdict;

	if (model_is_nonsense(&t->event, verdict))
		return model_end(t, HATCH_FAILED, HATCH_EVERDICT);
	t->k.verdict = SHUT;
	switch (verdict) {
	case HATCH_UNWIND:
		t->status = item->value;
		return model_end(t, how == SAY_FINISH ? HATCH_DONE : HATCH_UNWOUND, 0);
	case HATCH_CAPTURE:
		return model_end(t, HATCH_SUSPENDED, 0);
	case HATCH_THROW:
		return throw_(t, item->value, item->second);
	case HATCH_INJECT:
		pass_on(t, (struct seen){ SEEN_FAULT, false, item->value, item->second });
		return GOES_ON;
	case HATCH_RETRY:
		return GOES_ON;
	default:
		if (t->event.kind != HATCH_INTERRUPT && t->event.kind != HATCH_DEADLINE)
			pass_on(t, (struct seen){
					   verdict == HATCH_SKIP ? SEEN_STEPPED : SEEN_ANSWERED,
					   how == SAY_PAIR, t->k.value, item ? item->second : 0 });
		return GOES_ON;
	}
}

static enum model_settled ask(struct model_try *t, int clause)
{
	int verdict;

	trace_event(model.trace, TRACE_ASKED, clause, (int)(t - model.t), &t->event);
	if (model.where[clause] == t->own && model.scope[t->own].state)
		trace_add(model.trace, TRACE_STATE, t->own, ++t->asked, 0, 0, 0);
	verdict = model_ask(t, clause);
	while (model.current != t - model.t) /* a handler that returns leaves what it pulled */
		model_try_leave(&model.t[model.current]);
	if (verdict == HATCH_PASS && t->k.verdict == OPEN)
		return PASSED;
	t->culprit = clause;
	if (verdict == HATCH_REFUSED)
		return model_end(t, HATCH_FAILED, t->k.error);
	if (verdict != t->k.verdict || !(model.plan->script[clause].may & HATCH_MAY(verdict)))
		return model_end(t, HATCH_FAILED, HATCH_EVERDICT);
	return obey(t);
}

/* Innermost scope first; in one scope the clause for this event before the one for any. */
static enum model_settled offer(struct model_try *t)
{
	for (int s = t->innermost; s != NOWHERE; s = model.scope[s].outer)
		for (int any = 0; any < 2; any++)
			for (int i = 0; i < PLAN_CLAUSES; i++) {
				const struct plan_script *c = &model.plan->script[i];
				bool fits = any ? c->kind == HATCH_ANY
						: model_catches(c, &t->event);
				enum model_settled settled;

				if (model.where[i] != s || !fits)
					continue;
				settled = ask(t, i);
				if (settled != PASSED)
					return settled;
				break; /* there is no other one in this scope */
			}
	return LEFT;
}

/* What reaches the clauses next; false: the guest went on alone. */
static bool next_event(struct model_try *t)
{
	struct seen seen = { .how = SEEN_NOTHING };

	if (t->deadline <= model.time) { /* wherever the guest is */
		t->event = (struct plan_event){ .kind = HATCH_DEADLINE, .value = t->deadline };
		t->deadline = HATCH_NEVER;
		return true;
	}
	proceed(t);
	t->event = model.plan->event[t->guest][t->at];
	if (t->event.kind == HATCH_DEADLINE) {
		model.time += t->event.value;
		pass_on(t, seen);
		proceed(t);
		return false;
	}
	if (is_kept(t, &t->event, &seen)) {
		pass_on(t, seen);
		return false;
	}
	if (t->event.kind == HATCH_INTERRUPT) { /* is over when it is told */
		pass_on(t, (struct seen){ .how = SEEN_NOTHING });
		proceed(t);
	}
	return true;
}

static enum model_settled advance(struct model_try *t)
{
	enum model_settled settled = GOES_ON;

	while (settled == GOES_ON) {
		if (!next_event(t))
			continue;
		t->k.verdict = OPEN;
		settled = offer(t);
	}
	return settled;
}

/* What the caller answered. */
enum model_settled model_settle_pending(struct model_try *t)
{
	t->pending = false;
	t->culprit = NOWHERE;
	return t->k.verdict == OPEN ? model_end(t, HATCH_UNCAUGHT, 0) : obey(t);
}

enum model_settled model_go_on(struct model_try *t)
{
	enum model_settled settled = t->pending ? model_settle_pending(t) : GOES_ON;

	return settled == GOES_ON ? advance(t) : settled;
}
