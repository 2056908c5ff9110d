/* SPDX-License-Identifier: MIT */
/* The same plan for the framework: real scopes, clauses and tries, and their caller. */
#include <string.h>

#include "play_internal.h"

struct play play;

struct hatch_scope *play_scope(int number)
{
	return number < PLAN_TRIES ? &play.instance[number].t->scope : &play.scope[number];
}

/* ---- The host ---- */

static void tell_seen(int number)
{
	struct play_instance *in = &play.instance[number];
	uint64_t record[SEEN_ROOM];

	for (int i = 0; i < PLAN_EVENTS; i++) {
		hatch_gpa at = hatch_gpa_of(SEEN_RECORDS + (uint64_t)i * sizeof(record));

		if (hatch_guest_read(in->t->vcpu->guest, at, record, sizeof(record)))
			PLAY_WRONG();
		else if (record[0])
			trace_record(play.trace, number, i, &play.plan->event[in->index][i],
				     record);
	}
}

static void tell_outcome(int number, int returned)
{
	const struct play_instance *in = &play.instance[number];
	const struct hatch_try *t = in->t;
	int at = machine_event_at(play.plan, in->index, t->vcpu->frame.pc);
	struct plan_event event;

	trace_add(play.trace, TRACE_OUTCOME, number, returned, (int)t->outcome, (uint64_t)t->error,
		  (uint64_t)t->status);
	if (!t->entered)
		trace_add(play.trace, TRACE_CULPRIT, number,
			  t->culprit ? (int)(t->culprit - play.clause) : -1, at, 0, 0);
	if (!t->entered && t->outcome == HATCH_UNCAUGHT) {
		event = play_translate(&t->event);
		trace_event(play.trace, TRACE_UNCAUGHT, 0, number, &event);
	}
	tell_seen(number);
}

static void pull(int number, int script)
{
	struct hatch_try *t = play.instance[number].t;
	const struct hatch_event *ev;

	if (t->entered)
		return;
	while ((ev = hatch_try_next(t))) {
		struct plan_event event = play_translate(ev);

		trace_event(play.trace, TRACE_PULLED, 0, number, &event);
		if (!play_peek(script)) {
			hatch_try_leave(t);
			break;
		}
		play_ask(script, hatch_try_cont(t));
	}
	tell_outcome(number, (int)t->outcome);
}

static void next(int number, int script)
{
	struct hatch_try *t = play.instance[number].t;
	const struct hatch_event *ev = hatch_try_next(t);
	struct plan_event event;

	if (!ev) {
		tell_outcome(number, (int)t->outcome);
		return;
	}
	event = play_translate(ev);
	trace_event(play.trace, TRACE_PULLED, 0, number, &event);
	play_ask(script, hatch_try_cont(t));
}

static void quit(int number)
{
	hatch_try_leave(play.instance[number].t);
	tell_outcome(number, (int)play.instance[number].t->outcome);
}

static int number_of(const struct hatch_try *t)
{
	for (int i = 0; i < PLAN_INSTANCES; i++)
		if (play.instance[i].there && play.instance[i].t == t)
			return i;
	return -1;
}

static void resume(const struct hatch_captured *slot, uint64_t value)
{
	struct hatch_captured copy = *slot;
	int returned = (int)hatch_cont_resume(&copy, value);

	trace_add(play.trace, TRACE_DONE, DO_RESUME, 0, returned, 0, 0);
	if (copy.t && number_of(copy.t) >= 0)
		tell_outcome(number_of(copy.t), returned);
}

static void reopen(const struct hatch_captured *slot, int script)
{
	struct hatch_captured copy = *slot;
	struct hatch_cont *k = hatch_cont_reopen(&copy);
	struct plan_event event;

	trace_add(play.trace, TRACE_DONE, DO_REOPEN, 0, k ? 0 : HATCH_ESTALE, 0, 0);
	if (!k)
		return;
	event = play_translate(&copy.t->event);
	trace_event(play.trace, TRACE_PULLED, 0, number_of(copy.t), &event);
	play_ask(script, k);
	if (number_of(copy.t) >= 0) /* or it was ended meanwhile */
		tell_outcome(number_of(copy.t), (int)hatch_try_run(copy.t));
}

static int clone(const struct hatch_captured *slot, int to)
{
	struct play_instance *in = &play.instance[PLAN_TRIES + play.clones];
	int error;

	if (play.clones == PLAN_CLONES)
		return HATCH_E2BIG;
	error = hatch_cont_clone(slot, &in->clone);
	if (error)
		return error;
	play.clones++;
	in->there = true;
	in->index = play.instance[number_of(slot->t)].index;
	in->t = &in->clone.t;
	play.slot[to] = in->clone.captured;
	return 0;
}

static int fini(int number)
{
	struct play_instance *in = &play.instance[number];
	int error;

	if (number >= PLAN_TRIES) {
		error = hatch_clone_fini(&in->clone);
		in->there = error != 0;
		return error;
	}
	if (in->t->entered)
		return HATCH_EBUSY;
	hatch_try_fini(in->t);
	return 0;
}

static int simple(const struct plan_op *op)
{
	struct hatch_captured copy;
	struct hatch_try *t;

	switch (op->what) {
	case DO_ADD:
		return play.plan->script[op->a].off
			       ? 0
			       : hatch_catch_add(play_scope(op->b), &play.clause[op->a]);
	case DO_REMOVE:
		return hatch_catch_remove(play_scope(op->b), &play.clause[op->a]);
	case DO_FINALLY:
		return hatch_finally_add(play_scope(play.plan->final_scope[op->a]),
					 &play.final[op->a]);
	case DO_STATE:
		return hatch_state_add(play_scope(op->a), &play.device[op->a].state);
	case DO_ENTER:
		return hatch_scope_enter(play.instance[op->a].t, play_scope(op->b));
	case DO_LEAVE:
		return hatch_scope_leave(play.instance[op->a].t);
	case DO_ANSWER:
		return hatch_resume(hatch_try_cont(play.instance[op->a].t), op->value);
	case DO_DEADLINE:
		t = play.instance[op->a].t;
		hatch_try_set_deadline(t, hatch_vcpu_time(t->vcpu) + op->value);
		return 0;
	case DO_DROP:
		copy = play.slot[op->a];
		return hatch_cont_drop(&copy);
	case DO_COPY:
		play.slot[op->b] = play.slot[op->a];
		return 0;
	case DO_CLONE:
		return clone(&play.slot[op->a], op->b);
	default:
		return fini(op->a);
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
	if (op->off || (is_of_instance(op->what) && !play.instance[op->a].there))
		return;
	switch (op->what) {
	case DO_RUN:
		tell_outcome(op->a, (int)hatch_try_run(play.instance[op->a].t));
		break;
	case DO_PULL:
		pull(op->a, op->b);
		break;
	case DO_NEXT:
		next(op->a, op->b);
		break;
	case DO_QUIT:
		quit(op->a);
		break;
	case DO_RESUME:
		resume(&play.slot[op->a], op->value);
		break;
	case DO_REOPEN:
		reopen(&play.slot[op->a], op->b);
		break;
	default:
		trace_add(play.trace, TRACE_DONE, (int)op->what, 0, simple(op), 0, 0);
	}
}

void play_perform(int first, int count)
{
	for (int i = first; i < first + count && !play.ending; i++)
		perform_one(&play.plan->op[i]);
}

/* ---- Beginning and end ---- */

static void begin_clause(int i)
{
	const struct plan_script *c = &play.plan->script[i];

	play.clause[i] = (struct hatch_catch){
		.kind = c->kind,
		.may = c->may,
		.first = c->first,
		.last = c->last,
		.function_first = c->function_first,
		.function_last = c->function_last,
		.handler = play_on_event,
		.arg = &play.clause[i],
		.name = "clause",
		.registers = c->registers,
	};
}

static void begin_try(int i)
{
	struct play_instance *in = &play.instance[i];

	in->there = true;
	in->index = i;
	in->t = &in->own;
	machine_prepare(play.plan, i, &in->guest, &in->vcpu);
	if (hatch_try_init(in->t, &in->vcpu))
		PLAY_WRONG();
	play.device[i].state = (struct hatch_state){ .name = "device",
						     .version = 1,
						     .size = sizeof(int),
						     .save = play_device_save,
						     .restore = play_device_restore,
						     .arg = &play.device[i] };
	in->t->transactional = play.plan->transactional[i];
	in->t->observer = play.plan->observed[i] ? play_on_observed : NULL;
}

static void begin(const struct plan *plan, struct trace *trace)
{
	memset(&play, 0, sizeof(play));
	play.plan = plan;
	play.trace = trace;
	trace->lines = 0;
	for (int i = 0; i < plan->tries; i++)
		if (!plan->absent[i])
			begin_try(i);
	for (int i = 0; i < PLAN_CLAUSES; i++)
		begin_clause(i);
	for (int i = 0; i < PLAN_FINALS; i++)
		play.final[i] =
			(struct hatch_finally){ .run = play_on_leave, .arg = &play.final[i] };
	for (int i = 0; i < PLAN_TRIES; i++)
		play.instance[i].t =
			&play.instance[i].own; /* a scope is there even where no try is */
	for (int i = PLAN_TRIES; i < PLAN_SCOPES; i++)
		hatch_scope_init(&play.scope[i], "scope", NULL);
	for (int i = 0; i < PLAN_SCOPES; i++)
		play_scope(i)->outer = plan->outer[i] < 0 ? NULL : play_scope(plan->outer[i]);
}

static void end(void)
{
	play.ending = true;
	for (int i = 0; i < PLAN_INSTANCES; i++)
		if (play.instance[i].there && play.instance[i].t->entered)
			quit(i);
	for (int i = PLAN_INSTANCES - 1; i >= 0; i--)
		if (play.instance[i].there)
			fini(i);
	for (int i = 0; i < PLAN_SCOPES; i++)
		if (play_scope(i)->sealed)
			PLAY_WRONG();
	for (int i = 0; i < PLAN_TRIES; i++)
		if (play.instance[i].there)
			hatch_guest_fini(&play.instance[i].guest);
	machine_end(play.trace);
}

void play_run(const struct plan *plan, struct trace *trace)
{
	begin(plan, trace);
	play_perform(0, plan->main_ops);
	end();
}
