/* SPDX-License-Identifier: MIT */
/*
 * A guest asks "which one?" and gets all of them: each question is captured, and resumed once for
 * every answer. So a program without a search in it finds all ways to place eight queens.
 */
#include <hatch/clone.h>

#include "choice.h"
#include "demo.h"

#define DEPTH 8

static struct hatch_captured question; /* the last that was asked */
static struct hatch_clone clones[DEPTH];
static unsigned int cloned, failed, solved;

static enum hatch_verdict on_question(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	return hatch_cont_capture(k, &question);
}

static enum hatch_verdict on_fail(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	failed++;
	return hatch_finish(k, 0);
}

/* All solutions are counted, the first one is shown: read from the memory of the clone that asks. */
static enum hatch_verdict on_show(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	hatch_gpa at = hatch_gpa_of(ev->hypercall.arg[0]);
	int column[DEPTH];

	if (hatch_guest_read(k->vcpu->guest, at, column, sizeof(column)))
		return hatch_resume(k, (uint64_t)-1); /* there is no board */
	if (solved++)
		return hatch_resume(k, 0);
	for (int row = 0; row < DEPTH; row++) {
		for (int i = 0; i < DEPTH; i++)
			printf(" %c", i == column[row] ? 'Q' : '.');
		printf("\n");
	}
	return hatch_resume(k, 0);
}

/* Answers a question with everything that it may be answered with; each answer in a new clone. */
static void explore(struct hatch_captured asked, unsigned int depth)
{
	uint64_t answers = asked.t->event.hypercall.arg[0];

	if (answers > CHOICE_MOST || depth == DEPTH)
		return; /* a guest that asks too much fails */
	for (uint64_t answer = 0; answer < answers; answer++) {
		struct hatch_clone *clone = &clones[depth];

		demo_need(hatch_cont_clone(&asked, clone), "clone");
		cloned++;
		if (hatch_cont_resume(&clone->captured, answer) == HATCH_SUSPENDED)
			explore(question, depth + 1);
		demo_need(hatch_clone_fini(clone), "end of a clone");
	}
}

static void solve(struct hatch_try *t)
{
	struct hatch_captured first;
	struct hatch_cont *k;

	if (hatch_try_run(t) != HATCH_SUSPENDED)
		return;
	first = question;
	explore(first, 0);
	k = hatch_cont_reopen(&first); /* it still waits, at its first question */
	if (k)
		hatch_finish(k, 0);
	hatch_try_run(t);
	hatch_try_fini(t);
}

int main(void)
{
	static struct demo demo;
	uint64_t memory = hatch_board_memory_free();
	struct hatch_catch clauses[] = {
		HATCH_ON_HYPERCALL_FUNCTION(CHOICE_EID, CHOICE_OF, on_question, NULL),
		HATCH_ON_HYPERCALL_FUNCTION(CHOICE_EID, CHOICE_FAIL, on_fail, NULL),
		HATCH_ON_HYPERCALL_FUNCTION(CHOICE_EID, CHOICE_SHOW, on_show, NULL),
	};
	int status;

	demo_begin(&demo);
	for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++)
		demo_catch(&demo, &clauses[i]);
	solve(&demo.t);
	status = demo_end(&demo);
	printf("%u solutions, %u dead ends, %u clones\n", solved, failed, cloned);
	printf("memory that did not come home: %llu bytes\n",
	       demo_number(memory - hatch_board_memory_free()));
	return status;
}
