/* SPDX-License-Identifier: MIT */
/*
 * The other forms of a try: pulled, as a statement, and within a handler of another one.
 */
#include "fake_hart.h"

enum { EID = 100, OTHER_EID = 200, DEVICE = 0x10000000 };

static const struct step program[] = { CALL(EID, 0, 10), LW(DEVICE + 4), CALL(OTHER_EID, 0, 0),
				       SW(DEVICE + 8, 0x1234567890), CALL(EID, 1, 20) };
static struct stage stage;

static int setup(void **state)
{
	(void)state;
	stage_begin(&stage, program, COUNT_OF(program));
	return 0;
}

static unsigned int answered;

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	answered++;
	return hatch_resume(k, 0);
}

/* ---- Pull ---- */

static void test_pull(void **state)
{
	static const enum hatch_kind kinds[] = { HATCH_HYPERCALL, HATCH_MMIO, HATCH_HYPERCALL,
						 HATCH_MMIO };
	const struct hatch_event *ev;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		ev = hatch_try_next(&stage.t);
		assert_ptr_equal(ev, &stage.t.event);
		assert_int_equal(ev->kind, kinds[i]);
		assert_int_equal(stage_at(&stage), i);
		assert_int_equal(hatch_resume(hatch_try_cont(&stage.t), 0x80000000), HATCH_RESUME);
		assert_int_equal(hatch_resume(hatch_try_cont(&stage.t), 0), HATCH_REFUSED);
	}
	ev = hatch_try_next(&stage.t);
	assert_int_equal(ev->hypercall.arg[0], 20);
	hatch_finish(hatch_try_cont(&stage.t), 6);
	assert_null(hatch_try_next(&stage.t));
	assert_int_equal(stage.t.outcome, HATCH_DONE);
	assert_int_equal(stage.t.status, 6);
	assert_int_equal(hatch_resume(hatch_try_cont(&stage.t), 0), HATCH_REFUSED);
	expect_quiet(&stage);
}

/* Registered clauses are asked first, and what they take is not pulled. */
static void test_pull_beside_clauses(void **state)
{
	struct hatch_catch call = HATCH_ON_HYPERCALL(EID, on_call, NULL);
	unsigned int pulled = 0;

	(void)state;
	answered = 0;
	assert_int_equal(hatch_catch_add(&stage.t.scope, &call), HATCH_OK);
	while (hatch_try_next(&stage.t) && ++pulled < 3)
		hatch_skip(hatch_try_cont(&stage.t));
	hatch_try_leave(&stage.t);
	assert_int_equal(stage.t.outcome, HATCH_UNWOUND);
	assert_int_equal(answered, 1);
	assert_int_equal(stage_at(&stage), 3); /* the store was not answered */
	expect_quiet(&stage);
}

static void test_pull_unanswered(void **state)
{
	(void)state;
	assert_non_null(hatch_try_next(&stage.t));
	assert_null(hatch_try_next(&stage.t));
	assert_int_equal(stage.t.outcome, HATCH_UNCAUGHT);
	assert_int_equal(stage_at(&stage), 0);
	expect_quiet(&stage);
	assert_non_null(hatch_try_next(&stage.t)); /* and again from there */
	hatch_try_leave(&stage.t);
	hatch_try_leave(&stage.t);
	expect_quiet(&stage);
}

static void test_pull_impossible_verdict(void **state)
{
	static const struct step fetch[] = { { .trap = { .scause = 20, .stval = 4, .htval = 1 } } };

	(void)state;
	stage_begin(&stage, fetch, 1);
	assert_int_equal(hatch_try_next(&stage.t)->kind, HATCH_FAULT);
	hatch_resume(hatch_try_cont(&stage.t), 0);
	assert_null(hatch_try_next(&stage.t));
	assert_int_equal(stage.t.outcome, HATCH_FAILED);
	assert_int_equal(stage.t.error, HATCH_EVERDICT);
	expect_quiet(&stage);
}

/* ---- Statement ---- */

static void test_statement(void **state)
{
	uint64_t stored = 0, calls = 0, loaded_at = 0;

	(void)state;
	/* clang-format off */
	hatch_try (&stage.t, ev, k) {
		hatch_catch (hypercall, OTHER_EID)
			hatch_resume(k, ++calls);
		hatch_catch (mmio, DEVICE, 8) {
			loaded_at = ev->mmio.offset;
			hatch_resume(k, 1);
		}
		hatch_catch (mmio, DEVICE + 8, 8) {
			stored = ev->mmio.value;
			hatch_resume(k, 1);
		}
		hatch_otherwise {
			if (ev->hypercall.function == 1)
				hatch_finish(k, 3);
			else
				hatch_resume(k, ++calls);
		}
	}
	/* clang-format on */
	assert_int_equal(calls, 2);
	assert_int_equal(loaded_at, 4);
	assert_int_equal(stored, 0x34567890);
	assert_int_equal(stage.t.outcome, HATCH_DONE);
	assert_int_equal(stage.t.status, 3);
	expect_quiet(&stage);
}

/* An answer before `break` counts, none leaves the guest where it is. */
static void test_statement_break(void **state)
{
	(void)state;
	for (unsigned int answer = 0; answer < 2; answer++) {
		setup(state);
		hatch_try (&stage.t, ev, k) {
			if (answer)
				hatch_resume(k, ev->length);
			break;
		}
		assert_int_equal(stage.t.outcome, HATCH_UNWOUND);
		assert_int_equal(stage_at(&stage), answer);
		expect_quiet(&stage);
	}
}

/* The first clause that answers is the last one that is asked; one may pass by not answering. */
static void test_statement_order(void **state)
{
	unsigned int asked = 0, otherwise = 0;

	(void)state;
	/* clang-format off */
	hatch_try (&stage.t, ev, k) {
		hatch_catch (hypercall, EID)
			asked++;
		hatch_catch (hypercall, EID)
			hatch_unwind(k, ev->length);
		hatch_otherwise
			otherwise++;
	}
	/* clang-format on */
	assert_int_equal(asked, 1);
	assert_int_equal(otherwise, 0);
	assert_int_equal(stage.t.outcome, HATCH_UNWOUND);
	assert_int_equal(stage.t.status, 4);
}

/* ---- A try within a handler ---- */

static struct stage inner;
static const struct step inner_program[] = { CALL(EID, 0, 1), CALL(OTHER_EID, 0, 2) };

static enum hatch_verdict on_finish(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_finish(k, (long)ev->hypercall.arg[0]);
}

static enum hatch_verdict on_nest(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_catch call = HATCH_ON_HYPERCALL(EID, on_call, NULL);
	struct hatch_catch finish = HATCH_ON_HYPERCALL(OTHER_EID, on_finish, NULL);

	(void)arg;
	(void)ev;
	world_init(&inner.world);
	inner.world.vcpu.frame.pc = PROGRAM_BASE;
	assert_int_equal(hatch_try_init(&inner.t, &inner.world.vcpu), HATCH_OK);
	assert_int_equal(hatch_catch_add(&inner.t.scope, &call), HATCH_OK);
	assert_int_equal(hatch_catch_add(&inner.t.scope, &finish), HATCH_OK);
	fake.program = inner_program;
	assert_int_equal(hatch_try_run(&inner.t), HATCH_DONE);
	fake.program = program;
	assert_ptr_equal(fake.hart.current, &stage.world.vcpu); /* loaded again */
	return hatch_resume(k, (uint64_t)inner.t.status);
}

static void test_nested(void **state)
{
	struct hatch_catch nest = HATCH_ON_HYPERCALL(EID, on_nest, NULL);
	struct hatch_catch finish = HATCH_ON_HYPERCALL(OTHER_EID, on_finish, NULL);
	struct hatch_catch device = HATCH_ON_MMIO(DEVICE, 16, on_call, NULL);

	(void)state;
	answered = 0;
	assert_int_equal(hatch_catch_add(&stage.t.scope, &nest), HATCH_OK);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &device), HATCH_OK);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &finish), HATCH_OK);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	assert_int_equal(answered, 2); /* the inner call, the outer load */
	assert_int_equal(fake.loads, 3);
	expect_quiet(&stage);
	expect_quiet(&inner);
}

/* A vcpu is in one place at a time. */
static enum hatch_verdict on_again(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_try other;

	(void)arg;
	(void)ev;
	assert_int_equal(hatch_try_init(&other, &stage.world.vcpu), HATCH_EBUSY);
	return hatch_finish(k, 0);
}

static void test_busy(void **state)
{
	struct hatch_catch again = HATCH_ON_HYPERCALL(EID, on_again, NULL);
	struct hatch_try other;

	(void)state;
	assert_int_equal(hatch_try_init(NULL, &stage.world.vcpu), HATCH_EINVAL);
	assert_int_equal(hatch_try_init(&other, NULL), HATCH_EINVAL);
	assert_int_equal(hatch_try_init(&other, &stage.world.vcpu), HATCH_OK);
	assert_int_equal(hatch_catch_add(&stage.t.scope, &again), HATCH_OK);
	assert_int_equal(hatch_try_run(&stage.t), HATCH_DONE);
	expect_quiet(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pull, setup),
		cmocka_unit_test_setup(test_pull_beside_clauses, setup),
		cmocka_unit_test_setup(test_pull_unanswered, setup),
		cmocka_unit_test_setup(test_pull_impossible_verdict, setup),
		cmocka_unit_test_setup(test_statement, setup),
		cmocka_unit_test_setup(test_statement_break, setup),
		cmocka_unit_test_setup(test_statement_order, setup),
		cmocka_unit_test_setup(test_nested, setup),
		cmocka_unit_test_setup(test_busy, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
