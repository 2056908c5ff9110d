/* SPDX-License-Identifier: MIT */
/*
 * Continuations: one answer and no second one, and the guest's registers.
 */
#include "support.h"

/* Every way to answer, with values that can be told apart. */
static enum hatch_verdict resume(struct hatch_cont *k)
{
	return hatch_resume(k, 0x11);
}

static enum hatch_verdict resume_pair(struct hatch_cont *k)
{
	return hatch_resume_pair(k, 0x22, 0x33);
}

static enum hatch_verdict inject(struct hatch_cont *k)
{
	return hatch_inject(k, CAUSE_LOAD_ACCESS, 0x44);
}

static enum hatch_verdict unwind(struct hatch_cont *k)
{
	return hatch_unwind(k, -5);
}

static enum hatch_verdict finish(struct hatch_cont *k)
{
	return hatch_finish(k, 6);
}

static enum hatch_verdict throw_fault(struct hatch_cont *k)
{
	const struct hatch_trap trap = { CAUSE_STORE_PAGE_FAULT, 0x55, 0x66, 0x77 };

	return hatch_throw(k, &trap);
}

static const struct answer {
	enum hatch_verdict (*give)(struct hatch_cont *k);
	struct hatch_cont expected; /* what stands in the continuation afterwards */
} answers[] = {
	{ resume, { .verdict = HATCH_RESUME, .value = 0x11 } },
	{ resume_pair, { .verdict = HATCH_RESUME, .value = 0x22, .second = 0x33, .pair = true } },
	{ hatch_skip, { .verdict = HATCH_SKIP } },
	{ hatch_retry, { .verdict = HATCH_RETRY } },
	{ inject, { .verdict = HATCH_INJECT, .value = CAUSE_LOAD_ACCESS, .second = 0x44 } },
	{ throw_fault,
	  { .verdict = HATCH_THROW, .thrown = { CAUSE_STORE_PAGE_FAULT, 0x55, 0x66, 0x77 } } },
	{ unwind, { .verdict = HATCH_UNWIND, .status = -5 } },
	{ finish, { .verdict = HATCH_UNWIND, .status = 6, .finished = true } },
};

static void expect_cont(const struct hatch_cont *k, const struct hatch_cont *expected)
{
	assert_int_equal(k->verdict, expected->verdict);
	assert_int_equal(k->value, expected->value);
	assert_int_equal(k->second, expected->second);
	assert_memory_equal(&k->thrown, &expected->thrown, sizeof(k->thrown));
	assert_int_equal(k->pair, expected->pair);
	assert_int_equal(k->status, expected->status);
	assert_int_equal(k->finished, expected->finished);
}

static void test_first_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct hatch_cont k = { 0 };

		assert_int_equal(answers[i].give(&k), answers[i].expected.verdict);
		expect_cont(&k, &answers[i].expected);
		assert_int_equal(k.error, 0);
	}
}

/* Whatever came first stays, whatever comes second is refused and leaves no trace. */
static void test_second_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		for (size_t j = 0; j < COUNT_OF(answers); j++) {
			struct hatch_cont k = { 0 };

			answers[i].give(&k);
			assert_int_equal(answers[j].give(&k), HATCH_REFUSED);
			assert_int_equal(k.error, HATCH_ESTALE);
			expect_cont(&k, &answers[i].expected);
		}
	}
}

/* Only what a load or store can meet is thrown. */
static void test_throw(void **state)
{
	(void)state;
	for (uint64_t cause = 0; cause < 64; cause++) {
		struct hatch_trap trap = { .scause = cause };
		struct hatch_cont k = { 0 };
		bool access = cause == CAUSE_LOAD_ACCESS || cause == CAUSE_STORE_ACCESS ||
			      cause == CAUSE_LOAD_PAGE_FAULT || cause == CAUSE_STORE_PAGE_FAULT ||
			      cause == CAUSE_LOAD_GUEST_PAGE_FAULT ||
			      cause == CAUSE_STORE_GUEST_PAGE_FAULT;

		assert_int_equal(hatch_throw(&k, &trap), access ? HATCH_THROW : HATCH_REFUSED);
		assert_int_equal(k.error, access ? 0 : HATCH_EINVAL);
		trap.scause |= CAUSE_INTERRUPT;
		k = (struct hatch_cont){ 0 };
		assert_int_equal(hatch_throw(&k, &trap), HATCH_REFUSED);
	}
}

/* Between two events the framework holds the continuation shut: any verdict but PASS does it. */
static void test_answer_between_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct hatch_cont k = { .verdict = HATCH_VERDICTS };
		struct hatch_cont expected = k;

		assert_int_equal(answers[i].give(&k), HATCH_REFUSED);
		assert_int_equal(k.error, HATCH_ESTALE);
		expect_cont(&k, &expected);
	}
}

/* What the C calling convention preserves, and gp: the fast path leaves them in the hardware. */
static bool is_callee_saved(unsigned int n)
{
	return n == 3 || n == 8 || n == 9 || (n >= 18 && n <= 27);
}

static void test_get(void **state)
{
	struct world world;

	(void)state;
	world_init(&world);
	for (unsigned int full = 0; full < 2; full++) {
		world.vcpu.full = full;
		for (unsigned int n = 0; n < 32; n++) {
			uint64_t value = 99;
			int expected = full || !is_callee_saved(n) ? HATCH_OK : HATCH_EINVAL;

			assert_int_equal(hatch_cont_get(&world.cont, n, &value), expected);
			assert_int_equal(value, expected ? 99 : world.vcpu.frame.x[n]);
		}
	}
}

static void test_set(void **state)
{
	struct world world;

	(void)state;
	for (unsigned int full = 0; full < 2; full++) {
		for (unsigned int n = 0; n < 32; n++) {
			int expected = full || !is_callee_saved(n) ? HATCH_OK : HATCH_EINVAL;
			uint64_t before;

			world_init(&world);
			world.vcpu.full = full;
			before = world.vcpu.frame.x[n];
			assert_int_equal(hatch_cont_set(&world.cont, n, 1234), expected);
			assert_int_equal(world.vcpu.frame.x[n], expected || !n ? before : 1234);
		}
	}
}

static void test_no_such_register(void **state)
{
	static const unsigned int none[] = { 32, 33, 64, 255, 1U << 31, UINT32_MAX };
	struct world world;
	struct hatch_frame before;
	uint64_t value = 99;

	(void)state;
	world_init(&world);
	before = world.vcpu.frame;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		assert_int_equal(hatch_cont_get(&world.cont, none[i], &value), HATCH_EINVAL);
		assert_int_equal(hatch_cont_set(&world.cont, none[i], 1), HATCH_EINVAL);
	}
	assert_int_equal(value, 99);
	assert_memory_equal(&world.vcpu.frame, &before, sizeof(before));
}

static void test_circumstances(void **state)
{
	struct world world;

	(void)state;
	world_init(&world);
	world.cont.tval = 0x5678;
	assert_int_equal(hatch_cont_pc(&world.cont).addr, RAM_BASE + 0x1000);
	assert_int_equal(hatch_cont_tval(&world.cont), 0x5678);
	assert_false(hatch_cont_is_user(&world.cont));
	world.vcpu.frame.sstatus = ~BIT(8);
	assert_true(hatch_cont_is_user(&world.cont));
}

/* A guest and its clauses meet errors by name: each has one, and a sentence of its own. */
static void test_error_words(void **state)
{
	(void)state;
	for (int error = 0; error >= HATCH_EFIRMWARE; error--) {
		assert_string_not_equal(hatch_error_name(error), "HATCH_E?");
		assert_string_not_equal(hatch_error_text(error), hatch_error_text(1));
		for (int other = 0; other > error; other--)
			assert_string_not_equal(hatch_error_text(error), hatch_error_text(other));
	}
	assert_string_equal(hatch_error_name(HATCH_EOVERLAP), "HATCH_EOVERLAP");
	assert_string_equal(hatch_error_name(HATCH_E2BIG), "HATCH_E2BIG");
	assert_string_equal(hatch_error_name(HATCH_EFIRMWARE - 1), "HATCH_E?");
	assert_string_equal(hatch_error_name(1), "HATCH_E?");
	assert_string_equal(hatch_error_name(INT32_MIN), "HATCH_E?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_answer),
		cmocka_unit_test(test_second_answer),
		cmocka_unit_test(test_throw),
		cmocka_unit_test(test_answer_between_events),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_no_such_register),
		cmocka_unit_test(test_circumstances),
		cmocka_unit_test(test_error_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
