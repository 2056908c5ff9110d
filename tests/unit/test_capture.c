/* SPDX-License-Identifier: MIT */
/*
 * Continuations as values, on a hart in C: capture, every way to use one, and the second use.
 */
#include "fake_hart.h"

enum { EID = 100, DEVICE = 0x10000000 };

static struct stage stage;
static struct hatch_captured held;
static char story[64];

static void tell(char letter)
{
	size_t n = strlen(story);

	assert_true(n + 1 < sizeof(story));
	story[n] = letter;
}

static void on_leave(void *arg)
{
	tell(*(char *)arg);
}

static enum hatch_verdict on_capture(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_cont_capture(k, &held);
}

static enum hatch_verdict on_finish(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_finish(k, (long)ev->hypercall.arg[0]);
}

static struct hatch_catch catches[2];
static struct hatch_finally outer, inner;
static struct hatch_scope inside;

/* Call 0 of EID is captured; call 1 ends the guest. A finally clause in each of two scopes. */
static int setup(void **state)
{
	static const struct step program[] = { CALL(EID, 0, 7), CALL(EID, 0, 8), CALL(EID, 1, 9) };

	(void)state;
	memset(story, 0, sizeof(story));
	memset(&held, 0, sizeof(held));
	stage_begin(&stage, program, COUNT_OF(program));
	catches[0] = HATCH_ON_HYPERCALL_FUNCTION(EID, 0, on_capture, NULL);
	catches[1] = HATCH_ON_HYPERCALL_FUNCTION(EID, 1, on_finish, NULL);
	outer = (struct hatch_finally){ on_leave, "o", NULL };
	inner = (struct hatch_finally){ on_leave, "i", NULL };
	hatch_scope_init(&inside, "inside", NULL);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &catches[0]), 0);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &catches[1]), 0);
	assert_int_equal(hatch_finally_add(&stage.t.scope, &outer), 0);
	assert_int_equal(hatch_finally_add(&inside, &inner), 0);
	assert_int_equal(hatch_scope_enter(&stage.t, &inside), 0);
	return 0;
}

static void suspend(void)
{
	assert_int_equal(hatch_try_run(&stage.t), HATCH_SUSPENDED);
	assert_ptr_equal(held.t, &stage.t);
	assert_false(stage.world.vcpu.live);
	assert_null(stage.world.vcpu.running);
}

static void test_resume(void **state)
{
	(void)state;
	suspend();
	assert_int_equal(stage_at(&stage), 0);
	assert_int_equal(stage.t.event.kind, HATCH_HYPERCALL);
	assert_int_equal(stage.t.event.hypercall.arg[0], 7);
	assert_string_equal(story, "");
	assert_int_equal(hatch_cont_resume(&held, 42), HATCH_SUSPENDED);
	assert_int_equal(stage_at(&stage), 1);
	assert_int_equal(hatch_cont_resume(&held, 43), HATCH_DONE);
	assert_int_equal(stage.t.status, 9);
	assert_string_equal(story, "io");
}

/* Every copy of a continuation is the same one. */
static void test_stale(void **state)
{
	struct hatch_captured copy;

	(void)state;
	suspend();
	copy = held;
	assert_int_equal(hatch_cont_resume(&copy, 1), HATCH_SUSPENDED);
	assert_int_equal(hatch_cont_resume(&copy, 1), HATCH_FAILED);
	assert_null(hatch_cont_reopen(&copy));
	assert_int_equal(hatch_cont_drop(&copy), HATCH_ESTALE);
	assert_int_equal(stage.t.outcome, HATCH_SUSPENDED); /* by the second capture: untouched */
	assert_int_equal(stage_at(&stage), 1);
	assert_int_equal(hatch_cont_resume(&held, 1), HATCH_DONE);
	assert_int_equal(hatch_cont_drop(&held), HATCH_ESTALE);
	assert_string_equal(story, "io");
	held = (struct hatch_captured){ 0 };
	assert_null(hatch_cont_reopen(&held));
}

static void test_drop(void **state)
{
	(void)state;
	suspend();
	assert_int_equal(hatch_cont_drop(&held), HATCH_OK);
	assert_string_equal(story, "io");
	assert_int_equal(hatch_cont_drop(&held), HATCH_ESTALE);
	assert_string_equal(story, "io");
	assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_ESTALE);
	assert_int_equal(fake.entries, 1);
}

/* A suspended try goes on through its continuation only, and its scopes stay as they are. */
static void test_suspended(void **state)
{
	struct hatch_scope other;

	(void)state;
	suspend();
	hatch_scope_init(&other, "other", NULL);
	assert_int_equal(hatch_scope_enter(&stage.t, &other), HATCH_ESEALED);
	assert_int_equal(hatch_scope_leave(&stage.t), HATCH_ESEALED);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_ESTALE);
	assert_null(hatch_try_next(&stage.t));
	assert_int_equal(hatch_resume(&stage.t.cont, 1), HATCH_REFUSED);
	hatch_try_leave(&stage.t);
	assert_int_equal(hatch_cont_drop(&held), HATCH_OK);
	assert_string_equal(story, "io");
}

/* Any answer, also in the pull form. */
static void test_reopen(void **state)
{
	struct hatch_cont *k;
	const struct hatch_event *ev;

	(void)state;
	suspend();
	k = hatch_cont_reopen(&held);
	assert_non_null(k);
	assert_null(hatch_cont_reopen(&held));
	assert_int_equal(hatch_cont_capture(k, &held), HATCH_REFUSED);
	assert_int_equal(k->error, HATCH_EINVAL);
	assert_int_equal(hatch_skip(k), HATCH_SKIP);
	assert_int_equal(hatch_skip(k), HATCH_REFUSED);
	ev = hatch_try_next(&stage.t);
	assert_null(ev);
	assert_int_equal(stage.t.outcome, HATCH_SUSPENDED);
	assert_int_equal(stage_at(&stage), 1);
	k = hatch_cont_reopen(&held);
	assert_int_equal(hatch_unwind(k, -5), HATCH_UNWIND);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_UNWOUND);
	assert_int_equal(stage.t.status, -5);
	assert_string_equal(story, "io");
}

static void test_no_answer(void **state)
{
	(void)state;
	suspend();
	assert_non_null(hatch_cont_reopen(&held));
	assert_int_equal(hatch_try_run(&stage.t), HATCH_UNCAUGHT);
	assert_int_equal(stage.t.event.hypercall.arg[0], 7);
	assert_string_equal(story, "io");
}

/* A verdict that the event does not allow is refused later as it would have been at once. */
static void test_bad_answer(void **state)
{
	static const struct step program[] = { { .trap = { CAUSE_BREAKPOINT, 0, 0, 0 } } };
	struct hatch_catch clause = HATCH_ON_BREAKPOINT(on_capture, NULL);

	(void)state;
	stage_begin(&stage, program, 1);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &clause), 0);
	suspend();
	assert_int_equal(hatch_cont_resume(&held, 1), HATCH_FAILED); /* of no known length */
	assert_int_equal(stage.t.outcome, HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_EVERDICT);
}

/* The pull form captures as a handler does. */
static void test_pull(void **state)
{
	static const struct step program[] = { LW(DEVICE), CALL(EID, 1, 3) };

	(void)state;
	stage_begin(&stage, program, COUNT_OF(program));
	assert_int_equal(hatch_try_next(&stage.t)->kind, HATCH_MMIO);
	assert_int_equal(hatch_cont_capture(hatch_try_cont(&stage.t), NULL), HATCH_REFUSED);
	assert_int_equal(hatch_cont_capture(hatch_try_cont(&stage.t), &held), HATCH_CAPTURE);
	assert_null(hatch_try_next(&stage.t));
	assert_int_equal(stage.t.outcome, HATCH_SUSPENDED);
	assert_int_equal(hatch_resume(hatch_cont_reopen(&held), 0xffffffff), HATCH_RESUME);
	assert_int_equal(hatch_try_next(&stage.t)->kind, HATCH_HYPERCALL);
	hatch_try_leave(&stage.t);
	assert_int_equal(stage.t.outcome, HATCH_UNWOUND);
}

/* The short road asks the clause, the long one captures. */
static void test_short_road(void **state)
{
	static const struct step program[] = { CALL(EID, 0, 1), CALL(EID, 0, 2), CALL(EID, 0, 3) };
	struct hatch_catch clause = HATCH_ON_HYPERCALL(EID, on_capture, NULL);

	(void)state;
	stage_begin(&stage, program, COUNT_OF(program));
	assert_int_equal(hatch_catch_add(&stage.t.scope, &clause), 0);
	for (unsigned int i = 0; i < COUNT_OF(program); i++) {
		if (i)
			assert_int_equal(hatch_cont_resume(&held, i), HATCH_SUSPENDED);
		else
			suspend();
		assert_int_equal(stage_at(&stage), i);
		assert_int_equal(stage.t.event.hypercall.arg[0], i + 1);
	}
}

static enum hatch_verdict on_resume_held(void *arg, const struct hatch_event *ev,
					 struct hatch_cont *k)
{
	(void)ev;
	*(enum hatch_outcome *)arg = hatch_cont_resume(&held, 5);
	return hatch_resume(k, 0);
}

/* From a handler of another try: as nested as any run. */
static void test_from_another_try(void **state)
{
	static struct stage other;
	enum hatch_outcome inner_outcome = HATCH_FAILED;
	struct hatch_catch clause =
		HATCH_ON_HYPERCALL_FUNCTION(EID, 2, on_resume_held, &inner_outcome);
	struct hatch_catch finish = HATCH_ON_HYPERCALL_FUNCTION(EID, 1, on_finish, NULL);

	static const struct step program[] = { CALL(EID, 0, 7), CALL(EID, 1, 9), CALL(EID, 2),
					       CALL(EID, 1, 4) };

	(void)state;
	fake.program = program;
	fake.steps = COUNT_OF(program);
	suspend();
	world_init(&other.world);
	other.world.vcpu.frame.pc = PROGRAM_BASE + 8;
	assert_int_equal(hatch_try_init(&other.t, &other.world.vcpu), HATCH_OK);
	assert_int_equal(hatch_catch_add(&other.t.scope, &clause), 0);
	assert_int_equal(hatch_catch_add(&other.t.scope, &finish), 0);
	assert_int_equal(hatch_try_run(&other.t), HATCH_DONE);
	assert_int_equal(other.t.status, 4);
	assert_int_equal(inner_outcome, HATCH_DONE);
	assert_int_equal(stage.t.status, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_resume, setup),
		cmocka_unit_test_setup(test_stale, setup),
		cmocka_unit_test_setup(test_drop, setup),
		cmocka_unit_test_setup(test_suspended, setup),
		cmocka_unit_test_setup(test_reopen, setup),
		cmocka_unit_test_setup(test_no_answer, setup),
		cmocka_unit_test_setup(test_bad_answer, setup),
		cmocka_unit_test_setup(test_pull, setup),
		cmocka_unit_test_setup(test_short_road, setup),
		cmocka_unit_test_setup(test_from_another_try, setup),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
