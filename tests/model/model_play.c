/* SPDX-License-Identifier: MIT */
/* The model's players: handlers and the host, who read their lines from the plan. */
#include <string.h>

#include "model.h"

static void perform(int first, int count);

/* Says the line to the continuation; what the handler returns. */
static int say(struct model_try *t, const struct plan_item *item)
{
	static const int honest[] = {
		[SAY_RESUME] = HATCH_RESUME, [SAY_PAIR] = HATCH_RESUME,	  [SAY_SKIP] = HATCH_SKIP,
		[SAY_RETRY] = HATCH_RETRY,   [SAY_INJECT] = HATCH_INJECT, [SAY_THROW] = HATCH_THROW,
		[SAY_UNWIND] = HATCH_UNWIND, [SAY_FINISH] = HATCH_UNWIND,
	};
	int first;

	switch (item->say) {
	case SAY_PASS:
		return HATCH_PASS;
	case SAY_SILENT:
		return HATCH_RESUME;
	case SAY_BAD_THROW:
		return model_refuse(t, HATCH_EINVAL);
	case SAY_CAPTURE:
		return model_capture(t, item);
	case SAY_SECOND:
	case SAY_TWICE:
	case SAY_OTHER:
	case SAY_TAKE_BACK:
		first = model_give(t, HATCH_RESUME, item, item->value);
		if (item->say == SAY_OTHER || item->say == SAY_TAKE_BACK)
			return item->say == SAY_OTHER ? HATCH_SKIP : HATCH_PASS;
		model_refuse(t, HATCH_ESTALE);
		return item->say == SAY_TWICE ? HATCH_REFUSED : first;
	default:
		return model_give(t, honest[item->say], item, item->value);
	}
}

/* The next line of a script; NULL behind its end. */
static const struct plan_item *peek(int script)
{
	const struct plan_script *c = &model.plan->script[script];
	int *next = &model.next[script];

	while (*next < PLAN_ITEMS && (c->off || c->item[*next].off))
		++*next;
	return *next < PLAN_ITEMS ? &c->item[*next] : NULL;
}

int model_ask(struct model_try *t, int script)
{
	static const struct plan_item pass = { .say = SAY_PASS };
	const struct plan_item *item = peek(script);
	int verdict;

	if (item)
		model.next[script]++;
	else
		item = &pass;
	perform(item->first_op, item->ops);
	verdict = say(t, item);
	trace_add(model.trace, TRACE_SAID, script, 0, verdict, 0, 0);
	return verdict;
}

void model_final(int final)
{
	trace_add(model.trace, TRACE_FINAL, final, 0, 0, 0, 0);
	if (model.final_ran[final])
		return;
	model.final_ran[final] = true;
	perform(model.plan->final_op[final], model.plan->final_ops[final]);
}

/* ---- The host ---- */

static void tell_seen(const struct model_try *t)
{
	int instance = (int)(t - model.t);

	for (int i = 0; i < PLAN_EVENTS; i++) {
		const struct plan_event *ev = &model.plan->event[t->guest][i];
		const struct seen *seen = &t->seen[i];
		uint64_t record[SEEN_ROOM];

		if (seen->how == SEEN_NOTHING)
			continue;
		seen_record(ev, seen, record);
		trace_record(model.trace, instance, i, ev, record)->loose =
			seen->how == SEEN_OWN || seen->how == SEEN_OWN_FAULT;
	}
}

static void tell_outcome(const struct model_try *t, int returned)
{
	int instance = (int)(t - model.t);

	trace_add(model.trace, TRACE_OUTCOME, instance, returned, (int)t->outcome,
		  (uint64_t)t->error, t->status);
	if (!t->entered)
		trace_add(model.trace, TRACE_CULPRIT, instance, t->culprit,
			  t->behind ? NOWHERE : t->at, 0, 0);
	if (!t->entered && t->outcome == HATCH_UNCAUGHT)
		trace_event(model.trace, TRACE_UNCAUGHT, 0, instance, &t->event);
	tell_seen(t);
}

static void pull(struct model_try *t, int script)
{
	if (t->entered)
		return;
	while (model_try_next(t)) {
		trace_event(model.trace, TRACE_PULLED, 0, (int)(t - model.t), &t->event);
		if (!peek(script)) {
			model_try_leave(t);
			break;
		}
		model_ask(t, script);
	}
	tell_outcome(t, (int)t->outcome);
}

static void next(struct model_try *t, int script)
{
	if (!model_try_next(t)) {
		tell_outcome(t, (int)t->outcome);
		return;
	}
	trace_event(model.trace, TRACE_PULLED, 0, (int)(t - model.t), &t->event);
	model_ask(t, script);
}

static void quit(struct model_try *t)
{
	model_try_leave(t);
	tell_outcome(t, (int)t->outcome);
}

static void resume(struct model_captured slot, uint64_t value)
{
	struct model_try *t = model_reopen(&slot);
	int returned = HATCH_FAILED;

	if (t) {
		model_give(t, HATCH_RESUME, NULL, value);
		returned = model_try_run(t);
	}
	trace_add(model.trace, TRACE_DONE, DO_RESUME, 0, returned, 0, 0);
	if (slot.t != NOWHERE && model.t[slot.t].there)
		tell_outcome(&model.t[slot.t], returned);
}

static void reopen(const struct model_captured *slot, int script)
{
	struct model_try *t = model_reopen(slot);

	trace_add(model.trace, TRACE_DONE, DO_REOPEN, 0, t ? 0 : HATCH_ESTALE, 0, 0);
	if (!t)
		return;
	trace_event(model.trace, TRACE_PULLED, 0, (int)(t - model.t), &t->event);
	model_ask(t, script);
	if (t->there) /* or it was ended meanwhile */
		tell_outcome(t, model_try_run(t));
}

/* A clone drops what it still has. */
static int fini(struct model_try *t)
{
	struct model_captured captured = { (int)(t - model.t), t->serial };

	if (t->entered)
		return HATCH_EBUSY;
	if (captured.t < PLAN_TRIES)
		return model_fini(t);
	t->pending = false;
	model_drop(&captured);
	t->there = false;
	return 0;
}

/* The operations that give an error or none. */
static int simple(const struct plan_op *op, struct model_try *t)
{
	switch (op->what) {
	case DO_ADD:
		return model.plan->script[op->a].off ? 0 : model_add(op->a, op->b);
	case DO_REMOVE:
		return model_remove(op->a, op->b);
	case DO_FINALLY:
		return model_finally(op->a);
	case DO_STATE:
		return model_state(op->a);
	case DO_ENTER:
		return model_enter(t, op->b);
	case DO_LEAVE:
		return model_leave(t);
	case DO_ANSWER:
		return model_give(t, HATCH_RESUME, NULL, op->value);
	case DO_DEADLINE:
		t->deadline = model.time + op->value;
		return 0;
	case DO_DROP:
		return model_drop(&model.slot[op->a]);
	case DO_COPY:
		model.slot[op->b] = model.slot[op->a];
		return 0;
	case DO_CLONE:
		return model.clones == PLAN_CLONES
			       ? HATCH_E2BIG
			       : model_clone(&model.slot[op->a], &model.slot[op->b]);
	default:
		return fini(t);
	}
}

static bool is_of_instance(enum plan_do what)
{
	return what == DO_STATE || what == DO_ENTER || what == DO_LEAVE || what == DO_RUN ||
	       what == DO_PULL || what == DO_NEXT || what == DO_QUIT || what == DO_DEADLINE ||
	       what == DO_ANSWER || what == DO_FINI;
}

static void perform_one(const struct plan_op *op)
{
	struct model_try *t = is_of_instance(op->what) ? &model.t[op->a] : NULL;

	if (op->off || (t && !t->there))
		return;
	switch (op->what) {
	case DO_RUN:
		tell_outcome(t, model_try_run(t));
		break;
	case DO_PULL:
		pull(t, op->b);
		break;
	case DO_NEXT:
		next(t, op->b);
		break;
	case DO_QUIT:
		quit(t);
		break;
	case DO_RESUME:
		resume(model.slot[op->a], op->value);
		break;
	case DO_REOPEN:
		reopen(&model.slot[op->a], op->b);
		break;
	default:
		trace_add(model.trace, TRACE_DONE, (int)op->what, 0, simple(op, t), 0, 0);
	}
}

static void perform(int first, int count)
{
	for (int i = first; i < first + count && !model.ending; i++)
		perform_one(&model.plan->op[i]);
}

static void begin(const struct plan *plan, struct trace *trace)
{
	memset(&model, 0, sizeof(model));
	model.plan = plan;
	model.trace = trace;
	model.current = NOWHERE;
	trace->lines = 0;
	for (int i = 0; i < plan->tries; i++) {
		struct model_try *t = &model.t[i];

		t->there = !plan->absent[i];
		t->own = t->innermost = t->guest = i;
		t->at = plan_next(plan, i, 0);
		t->culprit = NOWHERE;
		t->deadline = HATCH_NEVER;
		t->transactional = plan->transactional[i];
		t->k.verdict = SHUT;
	}
	for (int i = 0; i < PLAN_SCOPES; i++)
		model.scope[i].outer = plan->outer[i];
	for (int i = 0; i < PLAN_CLAUSES; i++)
		model.where[i] = NOWHERE;
	for (int i = 0; i < PLAN_SLOTS; i++)
		model.slot[i].t = NOWHERE;
}

void model_run(const struct plan *plan, struct trace *trace)
{
	begin(plan, trace);
	perform(0, plan->main_ops);
	model.ending = true;
	for (int i = 0; i < PLAN_INSTANCES; i++)
		if (model.t[i].there && model.t[i].entered)
			quit(&model.t[i]);
	for (int i = PLAN_INSTANCES - 1; i >= 0; i--)
		if (model.t[i].there)
			fini(&model.t[i]);
}
