/* SPDX-License-Identifier: MIT */
/*
 * The try block on a hart in C: who is asked in which order, what becomes of each answer, and how
 * a run ends. test_try_roads.c compares the short road with the long one.
 */
#include "fake_hart.h"

enum { EID = 100, OTHER_EID = 200, DEVICE = 0x10000000 };

static struct stage stage;
static char story[64]; /* what happened, a letter each */

static void tell(char letter)
{
	size_t n = strlen(story);

	assert_true(n + 1 < sizeof(story));
	story[n] = letter;
}

static void begin_program(const struct step *program, size_t steps)
{
	memset(story, 0, sizeof(story));
	stage_begin(&stage, program, steps);
}

#define BEGIN(...)                                                                                 \
	static const struct step program[] = { __VA_ARGS__ };                                      \
	(void)state;                                                                               \
	begin_program(program, COUNT_OF(program))

static void add(struct hatch_scope *scope, struct hatch_catch *clause)
{
	assert_int_equal(hatch_catch_add(scope, clause), HATCH_OK);
}

/* ---- Handlers: `arg` is the letter that they tell ---- */

static enum hatch_verdict on_pass(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	(void)k;
	tell(*(char *)arg);
	return HATCH_PASS;
}

static enum hatch_verdict on_resume(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	tell(*(char *)arg);
	return hatch_resume(k, 42);
}

static enum hatch_verdict on_finish(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_finish(k, (long)ev->hypercall.arg[0]);
}

static enum hatch_verdict on_unwind(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	tell(*(char *)arg);
	return hatch_unwind(k, -7);
}

static void on_leave(void *arg)
{
	tell(*(char *)arg);
}

/* ---- The order of asking ---- */

static void test_order(void **state)
{
	struct hatch_scope inner, innermost;
	struct hatch_catch clause[] = {
		HATCH_ON_HYPERCALL(EID, on_pass, "a"), HATCH_ON_ANY(on_pass, "b"),
		HATCH_ON_HYPERCALL(EID, on_pass, "c"), HATCH_ON_ANY(on_pass, "d"),
		HATCH_ON_HYPERCALL(EID, on_pass, "e"), HATCH_ON_ANY(on_resume, "f"),
	};

	BEGIN(CALL(EID, 0, 1), CALL(EID, 0, 1), CALL(OTHER_EID, 0, 1), CALL(300, 0, 9));
	struct hatch_catch finish = HATCH_ON_HYPERCALL(300, on_finish, NULL);

	hatch_scope_init(&inner, "inner", NULL);
	hatch_scope_init(&innermost, "innermost", NULL);
	assert_int_equal(hatch_scope_enter(&stage.t, &inner), HATCH_OK);
	assert_int_equal(hatch_scope_enter(&stage.t, &innermost), HATCH_OK);
	add(&innermost, &clause[0]);
	add(&innermost, &clause[1]);
	add(&inner, &clause[2]);
	add(&inner, &clause[3]);
	add(&stage.t.scope, &clause[4]);
	add(&stage.t.scope, &clause[5]);
	add(&stage.t.scope, &finish);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_string_equal(story, "abcdef" /* twice: once for each call */ "abcdef"
				   "bdf"
				   "bd");
	assert_int_equal(stage.t.status, 9);
	assert_ptr_equal(stage.t.culprit, &finish);
	expect_quiet(&stage);
}

static void test_uncaught_then_caught(void **state)
{
	struct hatch_catch finish = HATCH_ON_HYPERCALL(EID, on_finish, NULL);
	char line[200];

	BEGIN(CALL(EID, 3, 5));
	assert_int_equal(hatch_try_run(&stage.t), HATCH_UNCAUGHT);
	assert_int_equal(stage.t.event.kind, HATCH_HYPERCALL);
	assert_int_equal(stage.t.event.hypercall.extension, EID);
	assert_string_equal(hatch_try_format(&stage.t, line, sizeof(line)),
			    "uncaught: hypercall 0x64 function 0x3 a0=0x5 a1=0x0, pc 0x80000000");
	expect_quiet(&stage);
	add(&stage.t.scope, &finish);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(stage.t.status, 5);
	expect_quiet(&stage);
}

/* ---- Ends ---- */

static void test_unwind_and_go_on(void **state)
{
	struct hatch_catch unwind = HATCH_ON_HYPERCALL(OTHER_EID, on_unwind, "u");
	struct hatch_catch resume = HATCH_ON_HYPERCALL(OTHER_EID, on_resume, "r");
	struct hatch_catch finish = HATCH_ON_HYPERCALL(EID, on_finish, NULL);

	BEGIN(CALL(OTHER_EID, 0, 1), CALL(EID, 0, 3));
	add(&stage.t.scope, &unwind);
	add(&stage.t.scope, &finish);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(hatch_try_run(&stage.t), HATCH_UNWOUND);
		assert_int_equal(stage.t.status, -7);
		assert_ptr_equal(stage.t.culprit, &unwind);
		assert_int_equal(stage_at(&stage), 0);
		expect_quiet(&stage);
	}
	assert_int_equal(hatch_catch_remove(&stage.t.scope, &unwind), HATCH_OK);
	add(&stage.t.scope, &resume);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(stage.t.status, 3);
	assert_string_equal(story, "uuur");
}

static void test_done_is_done(void **state)
{
	struct hatch_catch finish = HATCH_ON_HYPERCALL(EID, on_finish, NULL);

	BEGIN(CALL(EID, 0, 0));
	add(&stage.t.scope, &finish);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_ESTALE);
	assert_null(hatch_try_next(&stage.t));
	expect_quiet(&stage);
}

static void test_finally(void **state)
{
	struct hatch_scope outer, inner;
	struct hatch_finally last[] = { { .run = on_leave, .arg = "1" },
					{ .run = on_leave, .arg = "2" },
					{ .run = on_leave, .arg = "3" },
					{ .run = on_leave, .arg = "x" } };
	struct hatch_catch unwind = HATCH_ON_HYPERCALL(EID, on_unwind, "u");

	BEGIN(CALL(EID, 0, 0));
	hatch_scope_init(&outer, "outer", NULL);
	hatch_scope_init(&inner, "inner", NULL);
	stage.t.scope.outer = &outer;
	assert_int_equal(hatch_scope_enter(&stage.t, &inner), HATCH_OK);
	assert_int_equal(hatch_finally_add(&stage.t.scope, &last[0]), HATCH_OK);
	assert_int_equal(hatch_finally_add(&inner, &last[1]), HATCH_OK);
	assert_int_equal(hatch_finally_add(&inner, &last[2]), HATCH_OK);
	assert_int_equal(hatch_finally_add(&outer, &last[3]), HATCH_OK); /* others may use it */
	add(&outer, &unwind);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_UNWOUND);
	assert_string_equal(story, "u321");
	assert_int_equal(hatch_scope_leave(&stage.t), HATCH_OK);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_UNWOUND);
	assert_string_equal(story, "u321u1");
	expect_quiet(&stage);
}

/* ---- Rules ---- */

static enum hatch_verdict on_other_verdict(void *arg, const struct hatch_event *ev,
					   struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_resume(k, 0);
	return HATCH_SKIP;
}

static enum hatch_verdict on_answered_pass(void *arg, const struct hatch_event *ev,
					   struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_resume(k, 0);
	return HATCH_PASS;
}

static enum hatch_verdict on_nothing(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	(void)k;
	return HATCH_RESUME; /* claims an answer that was not given */
}

static enum hatch_verdict on_twice(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	hatch_resume(k, 0);
	return hatch_resume(k, 0);
}

static enum hatch_verdict on_rubbish(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	(void)k;
	return 1000;
}

static void test_broken_rules(void **state)
{
	static const struct {
		hatch_handler *handler;
		unsigned int may;
		int error;
	} cases[] = {
		{ on_other_verdict, HATCH_MAY_ALL, HATCH_EVERDICT },
		{ on_answered_pass, HATCH_MAY_ALL, HATCH_EVERDICT },
		{ on_nothing, HATCH_MAY_ALL, HATCH_EVERDICT },
		{ on_rubbish, HATCH_MAY_ALL, HATCH_EVERDICT },
		{ on_twice, HATCH_MAY_ALL, HATCH_ESTALE },
		{ on_resume, HATCH_MAY(HATCH_SKIP), HATCH_EVERDICT },
	};
	char line[300];

	BEGIN(CALL(EID, 0, 0));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_catch clause = HATCH_ON_HYPERCALL(EID, cases[i].handler, "x");

		begin_program(program, 1);
		clause.may = cases[i].may;
		add(&stage.t.scope, &clause);
		assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
		assert_int_equal(stage.t.error, cases[i].error);
		assert_ptr_equal(stage.t.culprit, &clause);
		assert_int_equal(stage_at(&stage), 0);
		assert_non_null(strstr(hatch_try_format(&stage.t, line, sizeof(line)),
				       hatch_error_name(cases[i].error)));
		expect_quiet(&stage);
	}
}

static int add_error;

static enum hatch_verdict on_add(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_scope scope;

	(void)ev;
	hatch_scope_init(&scope, "late", NULL);
	add_error = hatch_catch_add(&stage.t.scope, arg);
	assert_int_equal(hatch_scope_enter(&stage.t, &scope), HATCH_ESEALED);
	assert_int_equal(hatch_scope_leave(&stage.t), HATCH_ESEALED);
	return hatch_finish(k, 0);
}

static void test_sealed_while_it_runs(void **state)
{
	struct hatch_catch late = HATCH_ON_WFI(on_pass, "w");
	struct hatch_catch clause = HATCH_ON_HYPERCALL(EID, on_add, &late);

	BEGIN(CALL(EID, 0, 0));
	add(&stage.t.scope, &clause);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(add_error, HATCH_ESEALED);
	add(&stage.t.scope, &late);
	assert_int_equal(hatch_scope_leave(&stage.t), HATCH_ENOENT); /* its own scope stays */
}

/* As if a try of another vcpu of the guest ran on another hart. */
static void test_transaction_is_alone(void **state)
{
	struct hatch_guest *guest = &stage.world.guest;
	struct hatch_catch clause = HATCH_ON_HYPERCALL(EID, on_finish, NULL);

	BEGIN(CALL(EID, 0, 0));
	add(&stage.t.scope, &clause);
	guest->entered = 1;
	stage.t.transactional = true;
	assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_EBUSY);
	guest->exclusive = true; /* the other one's is a transaction */
	stage.t.transactional = false;
	assert_int_equal(hatch_try_run(&stage.t), HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_EBUSY);
	assert_int_equal(guest->entered, 1);
	assert_int_equal(fake.runs, 0);
	guest->exclusive = false;
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(guest->entered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_uncaught_then_caught),
		cmocka_unit_test(test_unwind_and_go_on),
		cmocka_unit_test(test_done_is_done),
		cmocka_unit_test(test_finally),
		cmocka_unit_test(test_broken_rules),
		cmocka_unit_test(test_sealed_while_it_runs),
		cmocka_unit_test(test_transaction_is_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
