/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "model.h"
#include "play.h"
#include "shrink.h"

static struct trace expected, actual;
static uint64_t lines[TRACE_WRONG + 1], outcomes[5], stale, clones, runs;

static void count(const struct trace_line *l)
{
	lines[l->what]++;
	clones += l->what == TRACE_DONE && l->a == DO_CLONE && l->c == 0;
	runs += l->what == TRACE_OUTCOME && l->a >= PLAN_TRIES;
	if (l->what == TRACE_OUTCOME)
		outcomes[l->b]++;
	stale += (l->what == TRACE_DONE && l->c == HATCH_ESTALE) ||
		 (l->what == TRACE_OUTCOME && (int)l->x == HATCH_ESTALE);
}

bool shrink_differs(const struct plan *plan)
{
	model_run(plan, &expected);
	play_run(plan, &actual);
	for (int i = 0; i < expected.lines && i < TRACE_LINES; i++)
		count(&expected.line[i]);
	return trace_compare(&expected, &actual) >= 0;
}

/* Changes one thing; takes it back when the difference goes away with it. */
#define TRY(plan, place, simple)                                                                   \
	({                                                                                         \
		__typeof__(place) old_ = (place);                                                  \
		bool smaller_ = old_ != (simple);                                                  \
		(place) = (simple);                                                                \
		smaller_ = smaller_ && shrink_differs(plan);                                       \
		if (!smaller_)                                                                     \
			(place) = old_;                                                            \
		smaller_;                                                                          \
	})

static bool shrink_script(struct plan *plan, struct plan_script *c)
{
	bool smaller = false;

	for (int i = 0; i < PLAN_ITEMS; i++) {
		struct plan_item *item = &c->item[i];

		if (item->off)
			continue;
		if (TRY(plan, item->off, true)) {
			smaller = true;
			continue;
		}
		if (item->say != SAY_INJECT && item->say != SAY_THROW)
			smaller |= TRY(plan, item->value, 1);
	}
	smaller |= TRY(plan, c->registers, false);
	smaller |= TRY(plan, c->may, HATCH_MAY_ALL);
	return smaller;
}

static bool shrink_try(struct plan *plan, int t)
{
	bool smaller = false;

	for (int i = PLAN_EVENTS - 2; i >= 0; i--)
		smaller |= TRY(plan, plan->event[t][i].off, true);
	smaller |= TRY(plan, plan->absent[t], true);
	smaller |= TRY(plan, plan->observed[t], false);
	smaller |= TRY(plan, plan->transactional[t], false);
	smaller |= TRY(plan, plan->outer[t], -1);
	return smaller;
}

static bool shrink_once(struct plan *plan)
{
	bool smaller = false;

	for (int i = plan->ops - 1; i >= 0; i--)
		smaller |= TRY(plan, plan->op[i].off, true);
	for (int i = 0; i < PLAN_SCRIPTS; i++)
		if (TRY(plan, plan->script[i].off, true))
			smaller = true;
		else if (!plan->script[i].off)
			smaller |= shrink_script(plan, &plan->script[i]);
	for (int t = 0; t < plan->tries; t++)
		smaller |= shrink_try(plan, t);
	return smaller;
}

void shrink(struct plan *plan)
{
	while (shrink_once(plan))
		;
}

void shrink_show(const struct plan *plan)
{
	int at;

	shrink_differs(plan);
	at = trace_compare(&expected, &actual);
	trace_show(&expected, "model", at < 0 ? expected.lines : at);
	if (at >= 0) {
		printf("they differ in line %d:\n", at);
		trace_show(&actual, "framework", at);
	}
}

void shrink_summary(void)
{
	printf("all equal: clauses were asked %" PRIu64 " times, events pulled %" PRIu64
	       ", %" PRIu64 " finally clauses run, %" PRIu64 " stale uses refused,\n"
	       "%" PRIu64 " clones run %" PRIu64 " times, %" PRIu64 " answers looked at; runs:",
	       lines[TRACE_ASKED], lines[TRACE_PULLED], lines[TRACE_FINAL], stale, clones, runs,
	       lines[TRACE_SEEN]);
	for (int i = 0; i < 5; i++)
		printf(" %" PRIu64 " %s%s", outcomes[i], hatch_outcome_name((enum hatch_outcome)i),
		       i < 4 ? "," : "\n");
}
