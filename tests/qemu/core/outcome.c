/* SPDX-License-Identifier: MIT */
/*
 * How a try ends, and what may follow. Rules are broken both on the first call, which takes the
 * long road, and on a later one, which the fast path asks about.
 */
#include "world.h"

#define EARLY 0
#define LATER 3

/* Calls with s1 = 0, 1, 2, ... in a0 until the host says 0 in a0. */
GUEST(caller, "	li s1, 0\n"
	      "1:	mv a0, s1\n"
	      "	addi s1, s1, 1\n"
	      "	ask 1\n"
	      "	bnez a0, 1b\n"
	      "	mv a0, s1\n"
	      "	quit\n");

enum misdeed {
	RETURNS_OTHER,	 /* answers resume, returns skip */
	RETURNS_PASS,	 /* answers resume, returns pass */
	ANSWERS_NOTHING, /* returns resume without an answer */
	ANSWERS_TWICE,	 /* and returns what the second answer gave */
	NOT_ALLOWED,	 /* injects, which is not in `may` */
};

struct caller {
	struct world w;
	struct hatch_catch clause;
	enum misdeed misdeed;
	uint64_t when;	    /* the number of the call that is special */
	unsigned int asked; /* how often */
	uint64_t pc;	    /* of the special call */
	struct hatch_scope *other;
};

static struct caller caller_;

static struct caller *begin(hatch_handler *handler, uint64_t when)
{
	struct caller *c = &caller_;

	*c = (struct caller){ .when = when };
	world_of(&c->w, caller);
	c->clause = HATCH_ON_HYPERCALL(WORLD_EID, handler, c);
	world_catch(&c->w, &c->clause);
	return c;
}

static enum hatch_verdict misbehave(const struct caller *c, struct hatch_cont *k)
{
	switch (c->misdeed) {
	case RETURNS_OTHER:
		hatch_resume(k, 1);
		return HATCH_SKIP;
	case RETURNS_PASS:
		hatch_resume(k, 1);
		return HATCH_PASS;
	case ANSWERS_NOTHING:
		return HATCH_RESUME;
	case ANSWERS_TWICE:
		hatch_resume(k, 1);
		return hatch_resume(k, 1);
	default:
		return hatch_inject(k, CAUSE_BREAKPOINT, 0);
	}
}

static enum hatch_verdict on_misdeed(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct caller *c = arg;

	c->asked++;
	return ev->hypercall.arg[0] == c->when ? misbehave(c, k) : hatch_resume(k, 1);
}

static void break_rule(enum misdeed misdeed, int error)
{
	for (uint64_t when = EARLY; when <= LATER; when += LATER - EARLY) {
		struct caller *c = begin(on_misdeed, when);

		c->misdeed = misdeed;
		c->clause.may = HATCH_MAY_ALL & ~HATCH_MAY(HATCH_INJECT);
		world_run(&c->w);
		expect_outcome(&c->w, HATCH_FAILED);
		expect_equal(c->w.t.error, error);
		expect(c->w.t.culprit == &c->clause);
		expect_equal(c->asked, when + 1);
		world_run(&c->w);
		expect_outcome(&c->w, HATCH_FAILED);
		expect_equal(c->w.t.error, HATCH_ESTALE);
		world_end(&c->w);
	}
}

static void verdict_differs_from_answer(void)
{
	break_rule(RETURNS_OTHER, HATCH_EVERDICT);
}

static void pass_after_an_answer(void)
{
	break_rule(RETURNS_PASS, HATCH_EVERDICT);
}

static void verdict_without_an_answer(void)
{
	break_rule(ANSWERS_NOTHING, HATCH_EVERDICT);
}

static void answered_twice(void)
{
	break_rule(ANSWERS_TWICE, HATCH_ESTALE);
}

static void verdict_not_declared(void)
{
	break_rule(NOT_ALLOWED, HATCH_EVERDICT);
}

static enum hatch_verdict on_first_wins(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	enum hatch_verdict verdict = hatch_resume(k, ev->hypercall.arg[0] < LATER);

	(void)arg;
	expect_equal(hatch_resume(k, 77), HATCH_REFUSED);
	expect_equal(k->error, HATCH_ESTALE);
	expect_equal(hatch_unwind(k, 77), HATCH_REFUSED);
	expect_equal(hatch_inject(k, CAUSE_BREAKPOINT, 77), HATCH_REFUSED);
	return verdict;
}

static void first_answer_wins(void)
{
	struct caller *c = begin(on_first_wins, 0);

	expect_done(&c->w, LATER + 1);
	world_end(&c->w);
}

static enum hatch_verdict on_end(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return ev->hypercall.arg[0] == LATER ? hatch_finish(k, 5) : hatch_resume(k, 1);
}

static void done_cannot_run_again(void)
{
	struct caller *c = begin(on_end, 0);

	expect_done(&c->w, 5);
	expect(c->w.t.culprit == &c->clause);
	expect_equal(world_run(&c->w), HATCH_FAILED);
	expect_equal(c->w.t.error, HATCH_ESTALE);
	expect(!hatch_try_next(&c->w.t));
	expect_outcome(&c->w, HATCH_FAILED);
	world_end(&c->w);
}

/* Leaves at the special call, twice; then lets the guest end. */
static enum hatch_verdict on_leave(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct caller *c = arg;

	if (ev->hypercall.arg[0] != c->when)
		return hatch_resume(k, 1);
	if (c->pc)
		expect_equal(hatch_cont_pc(k).addr, c->pc);
	c->pc = hatch_cont_pc(k).addr;
	return c->asked++ < 2 ? hatch_unwind(k, 40 + (long)c->asked) : hatch_resume(k, 0);
}

static void unwound_goes_on_where_it_stood(void)
{
	for (uint64_t when = EARLY; when <= LATER; when += LATER - EARLY) {
		struct caller *c = begin(on_leave, when);

		for (long time = 1; time <= 2; time++) {
			world_run(&c->w);
			expect_outcome(&c->w, HATCH_UNWOUND);
			expect_equal(c->w.t.status, 40 + time);
			expect_equal(c->w.vcpu.frame.pc, c->pc);
			expect_equal(c->w.vcpu.frame.x[9], when + 1);
		}
		expect_done(&c->w, (long)when + 1);
		expect_equal(c->asked, 3);
		world_end(&c->w);
	}
}

static enum hatch_verdict on_stop(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_resume(k, ev->hypercall.arg[0] < LATER);
}

static void uncaught_goes_on_with_a_new_clause(void)
{
	struct world *w = &caller_.w;
	struct hatch_catch late = HATCH_ON_HYPERCALL(WORLD_EID, on_stop, NULL);

	world_of(w, caller);
	world_run(w);
	expect_outcome(w, HATCH_UNCAUGHT);
	expect_equal(w->t.event.kind, HATCH_HYPERCALL);
	expect_equal(w->t.event.hypercall.extension, WORLD_EID);
	expect_equal(w->t.event.hypercall.function, 1);
	world_catch(w, &late);
	expect_done(w, LATER + 1);
	world_end(w);
}

static enum hatch_verdict on_pass(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct caller *c = arg;

	c->asked++;
	return ev->hypercall.arg[0] == c->when ? HATCH_PASS : hatch_resume(k, 1);
}

static void passed_by_all_is_uncaught(void)
{
	for (uint64_t when = EARLY; when <= LATER; when += LATER - EARLY) {
		struct caller *c = begin(on_pass, when);

		world_run(&c->w);
		expect_outcome(&c->w, HATCH_UNCAUGHT);
		expect_equal(c->asked, when + 1);
		expect_equal(c->w.t.event.hypercall.arg[0], when);
		c->when = UINT64_MAX;
		c->clause.handler = on_stop;
		expect_done(&c->w, LATER + 1);
		world_end(&c->w);
	}
}

/* What must be refused while a try runs. */
static enum hatch_verdict on_meddle(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct caller *c = arg;
	struct hatch_catch more = HATCH_ON_HYPERCALL(1, on_meddle, NULL);
	struct hatch_finally finally = { .run = NULL };
	struct hatch_try second;
	struct hatch_scope scope;

	hatch_scope_init(&scope, "scope", NULL);
	expect_equal(hatch_catch_add(&c->w.t.scope, &more), HATCH_ESEALED);
	expect_equal(hatch_catch_remove(&c->w.t.scope, &c->clause), HATCH_ESEALED);
	expect(hatch_finally_add(&c->w.t.scope, &finally) != 0);
	expect_equal(hatch_scope_enter(&c->w.t, &scope), HATCH_ESEALED);
	expect_equal(hatch_scope_leave(&c->w.t), HATCH_ESEALED);
	expect_equal(hatch_try_init(&second, &c->w.vcpu), HATCH_EBUSY);
	expect_equal(hatch_try_run(&c->w.t), HATCH_FAILED);
	expect_equal(c->w.t.error, HATCH_EBUSY);
	return hatch_resume(k, ev->hypercall.arg[0] < LATER);
}

static void running_try_is_not_changed(void)
{
	struct caller *c = begin(on_meddle, 0);

	expect_done(&c->w, LATER + 1);
	world_end(&c->w);
}

static void bad_arguments_are_refused(void)
{
	struct hatch_try t;

	expect_equal(hatch_try_init(NULL, &caller_.w.vcpu), HATCH_EINVAL);
	expect_equal(hatch_try_init(&t, NULL), HATCH_EINVAL);
	expect_equal(hatch_vcpu_init(NULL, &caller_.w.guest), HATCH_EINVAL);
	expect_equal(hatch_vcpu_init(&caller_.w.vcpu, NULL), HATCH_EINVAL);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(verdict_differs_from_answer),
		CHECK(pass_after_an_answer),
		CHECK(verdict_without_an_answer),
		CHECK(answered_twice),
		CHECK(verdict_not_declared),
		CHECK(first_answer_wins),
		CHECK(done_cannot_run_again),
		CHECK(unwound_goes_on_where_it_stood),
		CHECK(uncaught_goes_on_with_a_new_clause),
		CHECK(passed_by_all_is_uncaught),
		CHECK(running_try_is_not_changed),
		CHECK(bad_arguments_are_refused),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
