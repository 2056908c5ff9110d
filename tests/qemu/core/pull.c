/* SPDX-License-Identifier: MIT */
/*
 * The pull form and the statement form; what runs when a scope is left, whichever way.
 */
#include <string.h>

#include "world.h"

#define CALLS 5

/* Calls function 1 with 0, 1, 2, ... until the answer is 0; then quits with the sum of answers. */
GUEST(counter, "	li s1, 0\n"
	       "	li s2, 0\n"
	       "1:	mv a0, s1\n"
	       "	addi s1, s1, 1\n"
	       "	ask 1\n"
	       "	add s2, s2, a0\n"
	       "	bnez a0, 1b\n"
	       "	mv a0, s2\n"
	       "	quit\n");

/* Loads from the first page of WORLD_DATA. */
GUEST(toucher, "	li a0, 0x80080000\n"
	       "	ld a1, 0(a0)\n"
	       "	quit\n");

static struct world w;

static uint64_t answer_of(uint64_t number)
{
	return number < CALLS - 1 ? 10 + number : 0;
}

#define SUM (10 + 11 + 12 + 13)

static void pull_to_the_end(void)
{
	const struct hatch_event *ev;
	unsigned int events = 0;

	world_of(&w, counter);
	while ((ev = hatch_try_next(&w.t))) {
		expect_equal(ev->kind, HATCH_HYPERCALL);
		expect_equal(ev->hypercall.arg[0], events);
		expect_equal(hatch_resume(hatch_try_cont(&w.t), answer_of(events)), HATCH_RESUME);
		expect_equal(hatch_skip(hatch_try_cont(&w.t)), HATCH_REFUSED);
		events++;
	}
	expect_outcome(&w, HATCH_DONE);
	expect_equal(w.t.status, SUM);
	expect_equal(events, CALLS);
	world_end(&w);
}

/* Registered clauses come first; what they pass is pulled. */
static enum hatch_verdict on_odd(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t number = ev->hypercall.arg[0];

	++*(unsigned int *)arg;
	return number % 2 ? hatch_resume(k, answer_of(number)) : HATCH_PASS;
}

static void pull_what_clauses_pass(void)
{
	unsigned int asked = 0, events = 0;
	struct hatch_catch odd = HATCH_ON_HYPERCALL(WORLD_EID, on_odd, &asked);
	const struct hatch_event *ev;

	world_of(&w, counter);
	world_catch(&w, &odd);
	for (; (ev = hatch_try_next(&w.t)); events++) {
		expect_equal(ev->hypercall.arg[0] % 2, 0);
		hatch_resume(hatch_try_cont(&w.t), answer_of(ev->hypercall.arg[0]));
	}
	expect_outcome(&w, HATCH_DONE);
	expect_equal(w.t.status, SUM);
	expect_equal(asked, CALLS);
	expect_equal(events, (CALLS + 1) / 2);
	world_end(&w);
}

static void unanswered_is_uncaught(void)
{
	world_of(&w, counter);
	expect(hatch_try_next(&w.t) != NULL);
	expect(hatch_try_next(&w.t) == NULL);
	expect_outcome(&w, HATCH_UNCAUGHT);
	expect_equal(w.t.event.hypercall.arg[0], 0);
	world_end(&w);
}

static void answer_after_the_end_is_stale(void)
{
	world_of(&w, counter);
	expect_equal(hatch_resume(hatch_try_cont(&w.t), 0), HATCH_REFUSED);
	expect(hatch_try_next(&w.t) != NULL);
	hatch_unwind(hatch_try_cont(&w.t), 3);
	expect(hatch_try_next(&w.t) == NULL);
	expect_outcome(&w, HATCH_UNWOUND);
	expect_equal(w.t.status, 3);
	expect_equal(hatch_resume(hatch_try_cont(&w.t), 0), HATCH_REFUSED);
	expect_equal(hatch_try_cont(&w.t)->error, HATCH_ESTALE);
	world_end(&w);
}

static void leave_without_an_answer(void)
{
	const struct hatch_event *ev;

	world_of(&w, counter);
	expect(hatch_try_next(&w.t) != NULL);
	hatch_try_leave(&w.t);
	expect_outcome(&w, HATCH_UNWOUND);
	hatch_try_leave(&w.t);
	ev = hatch_try_next(&w.t);
	expect(ev && ev->hypercall.arg[0] == 0);
	hatch_try_leave(&w.t);
	world_end(&w);
}

static void leave_after_the_answer(void)
{
	const struct hatch_event *ev;

	world_of(&w, counter);
	expect(hatch_try_next(&w.t) != NULL);
	hatch_resume(hatch_try_cont(&w.t), 10);
	hatch_try_leave(&w.t);
	expect_outcome(&w, HATCH_UNWOUND);
	ev = hatch_try_next(&w.t);
	expect(ev && ev->hypercall.arg[0] == 1);
	hatch_try_leave(&w.t);
	world_end(&w);
}

static void pulled_verdict_is_checked(void)
{
	world_of(&w, toucher);
	expect_equal(hatch_gstage_unmap(&w.guest.stage, hatch_gpa_of(WORLD_DATA), 4096), 0);
	expect(hatch_try_next(&w.t) != NULL);
	expect_equal(w.t.event.kind, HATCH_PAGE);
	hatch_resume(hatch_try_cont(&w.t), 1);
	expect(hatch_try_next(&w.t) == NULL);
	expect_outcome(&w, HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EVERDICT);
	world_end(&w);
}

static void statement_form(void)
{
	unsigned int calls = 0, others = 0;

	world_of(&w, counter);
	/* clang-format off */
	hatch_try (&w.t, ev, k) {
		hatch_catch (hypercall, WORLD_EID) {
			calls++;
			hatch_resume(k, answer_of(ev->hypercall.arg[0]));
		}
		hatch_catch (hypercall, WORLD_EID)
			others++;
		hatch_otherwise
			others++;
	}
	/* clang-format on */
	expect_outcome(&w, HATCH_DONE);
	expect_equal(w.t.status, SUM);
	expect_equal(calls, CALLS);
	expect_equal(others, 0);
	world_end(&w);
}

static void statement_form_left_by_break(void)
{
	unsigned int calls = 0;

	world_of(&w, counter);
	/* clang-format off */
	hatch_try (&w.t, ev, k) {
		if (ev->hypercall.arg[0] == 2)
			break;
		hatch_catch (hypercall, WORLD_EID) {
			calls++;
			hatch_resume(k, answer_of(ev->hypercall.arg[0]));
		}
	}
	/* clang-format on */
	expect_outcome(&w, HATCH_UNWOUND);
	expect_equal(calls, 2);
	expect(w.vcpu.running == NULL);
	world_end(&w);
}

/* ---- finally ------------------------------------------------------------------------------ */

static char trace[32];

static void on_left(void *arg)
{
	strncat(trace, arg, sizeof(trace) - strlen(trace) - 1);
}

static enum hatch_verdict on_ending(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	switch (*(enum hatch_outcome *)arg) {
	case HATCH_DONE:
		return hatch_finish(k, 0);
	case HATCH_UNWOUND:
		return hatch_unwind(k, 0);
	case HATCH_UNCAUGHT:
		return HATCH_PASS;
	default:
		return HATCH_SKIP;
	}
}

static void finally_runs_once_however_it_ends(void)
{
	for (enum hatch_outcome how = HATCH_DONE; how <= HATCH_FAILED; how++) {
		struct hatch_catch ending = HATCH_ON_HYPERCALL(WORLD_EID, on_ending, &how);
		struct hatch_finally a = { .run = on_left, .arg = "a" };
		struct hatch_finally b = { .run = on_left, .arg = "b" };
		struct hatch_finally c = { .run = on_left, .arg = "c" };
		struct hatch_scope inner;

		trace[0] = '\0';
		world_of(&w, counter);
		world_catch(&w, &ending);
		hatch_scope_init(&inner, "inner", NULL);
		expect_equal(hatch_finally_add(&w.t.scope, &a), 0);
		expect_equal(hatch_finally_add(&inner, &b), 0);
		expect_equal(hatch_finally_add(&inner, &c), 0);
		expect_equal(hatch_scope_enter(&w.t, &inner), 0);
		world_run(&w);
		expect_outcome(&w, how);
		expect(!strcmp(trace, "cba"));
		world_run(&w);
		/* A try that cannot be run again is not entered, so nothing is left. */
		expect(!strcmp(trace, how == HATCH_DONE || how == HATCH_FAILED ? "cba" : "cbacba"));
		world_end(&w);
	}
}

static void finally_runs_when_a_pull_loop_is_left(void)
{
	struct hatch_finally a = { .run = on_left, .arg = "a" };

	trace[0] = '\0';
	world_of(&w, counter);
	expect_equal(hatch_finally_add(&w.t.scope, &a), 0);
	expect(hatch_try_next(&w.t) != NULL);
	expect(!trace[0]);
	hatch_try_leave(&w.t);
	hatch_try_leave(&w.t);
	expect(!strcmp(trace, "a"));
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(pull_to_the_end),
		CHECK(pull_what_clauses_pass),
		CHECK(unanswered_is_uncaught),
		CHECK(answer_after_the_end_is_stale),
		CHECK(leave_without_an_answer),
		CHECK(leave_after_the_answer),
		CHECK(pulled_verdict_is_checked),
		CHECK(statement_form),
		CHECK(statement_form_left_by_break),
		CHECK(finally_runs_once_however_it_ends),
		CHECK(finally_runs_when_a_pull_loop_is_left),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
