/* SPDX-License-Identifier: MIT */
/*
 * The registry: which clauses may stand together in a scope, and which of them is found.
 */
#include "support.h"

static enum hatch_verdict handler(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_retry(k);
}

static struct hatch_catch make(enum hatch_kind kind, uint64_t first, uint64_t last)
{
	return (struct hatch_catch)HATCH_KEYED_(kind, first, last, handler, NULL);
}

/* What adding b beside a gives. Checks that the conflict is named. */
static int add_beside(struct hatch_catch a, struct hatch_catch b)
{
	struct hatch_scope scope;
	int error;

	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_catch_add(&scope, &a), HATCH_OK);
	error = hatch_catch_add(&scope, &b);
	assert_ptr_equal(hatch_catch_conflict(&scope, &b), error ? &a : NULL);
	assert_ptr_equal(b.scope, error ? NULL : &scope);
	return error;
}

/* ---- What may stand together ---- */

static void test_ranges(void **state)
{
	static const enum hatch_kind kinds[] = { HATCH_HYPERCALL, HATCH_SYSCALL, HATCH_MMIO,
						 HATCH_PAGE,	  HATCH_CSR,	 HATCH_FAULT,
						 HATCH_INTERRUPT };
	static const struct {
		uint64_t first, last;
		int expected;
	} cases[] = {
		/* against [10, 20] */
		{ 0, 9, HATCH_OK },
		{ 21, UINT64_MAX, HATCH_OK },
		{ 0, 10, HATCH_EOVERLAP },
		{ 20, 30, HATCH_EOVERLAP },
		{ 10, 20, HATCH_EOVERLAP },
		{ 12, 13, HATCH_EOVERLAP },
		{ 0, UINT64_MAX, HATCH_EOVERLAP },
	};

	(void)state;
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			struct hatch_catch a = make(kinds[k], 10, 20);
			struct hatch_catch b = make(kinds[k], cases[i].first, cases[i].last);

			assert_int_equal(add_beside(a, b), cases[i].expected);
			assert_int_equal(add_beside(b, a), cases[i].expected);
		}
	}
}

static void test_functions(void **state)
{
	const struct hatch_catch three = HATCH_ON_HYPERCALL_FUNCTION(7, 3, handler, NULL);
	struct hatch_catch some = HATCH_ON_HYPERCALL(7, handler, NULL);

	(void)state;
	some.function_first = 3;
	some.function_last = 9;
#define BESIDE(b) add_beside(three, b)
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALL_FUNCTION(7, 3, handler, NULL)), HATCH_EOVERLAP);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALL_FUNCTION(7, 4, handler, NULL)), HATCH_OK);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALL_FUNCTION(8, 3, handler, NULL)), HATCH_OK);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALL(7, handler, NULL)), HATCH_EOVERLAP);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALL(8, handler, NULL)), HATCH_OK);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALLS(0, 6, handler, NULL)), HATCH_OK);
	assert_int_equal(BESIDE(HATCH_ON_HYPERCALLS(0, 7, handler, NULL)), HATCH_EOVERLAP);
	assert_int_equal(BESIDE(some), HATCH_EOVERLAP);
	some.function_first = 4;
	assert_int_equal(BESIDE(some), HATCH_OK);
#undef BESIDE
}

static void test_patterns(void **state)
{
	static const struct {
		uint32_t mask, match;
		int expected;
	} cases[] = {
		/* against mask 0x707f, match 0x100b */
		{ 0x707f, 0x100b, HATCH_EOVERLAP },
		{ 0x707f, 0x200b, HATCH_OK },
		{ 0x007f, 0x000b, HATCH_EOVERLAP },
		{ 0x007f, 0x002b, HATCH_OK },
		{ 0x7000, 0x1000, HATCH_EOVERLAP },
		{ 0x7000, 0x2000, HATCH_OK },
		{ 0xfe000000, 0x02000000, HATCH_EOVERLAP }, /* no bit in common */
		{ 0, 0, HATCH_EOVERLAP },		    /* everything */
		{ 0xffffffff, 0xabcd900b, HATCH_EOVERLAP },
		{ 0xffffffff, 0xabcda00b, HATCH_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_catch a = HATCH_ON_ILLEGAL(0x707f, 0x100b, handler, NULL);
		struct hatch_catch b =
			HATCH_ON_ILLEGAL(cases[i].mask, cases[i].match, handler, NULL);

		assert_int_equal(add_beside(a, b), cases[i].expected);
		assert_int_equal(add_beside(b, a), cases[i].expected);
	}
}

static void test_kinds_without_key(void **state)
{
	(void)state;
	assert_int_equal(add_beside(HATCH_ON_WFI(handler, NULL), HATCH_ON_WFI(handler, NULL)),
			 HATCH_EOVERLAP);
	assert_int_equal(
		add_beside(HATCH_ON_BREAKPOINT(handler, NULL), HATCH_ON_BREAKPOINT(handler, NULL)),
		HATCH_EOVERLAP);
	assert_int_equal(add_beside(HATCH_ON_ANY(handler, NULL), HATCH_ON_ANY(handler, NULL)),
			 HATCH_EOVERLAP);
}

/* One clause of each kind on the same key: none is in another's way. */
static void test_kinds_are_apart(void **state)
{
	struct hatch_catch clause[HATCH_KINDS + 1];
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	for (unsigned int kind = 0; kind <= HATCH_KINDS; kind++) {
		clause[kind] = make(kind, 0, kind == HATCH_ILLEGAL ? UINT32_MAX : 0);
		assert_int_equal(hatch_catch_add(&scope, &clause[kind]), HATCH_OK);
	}
	hatch_scope_seal(&scope);
	for (unsigned int kind = 0; kind < HATCH_KINDS; kind++) {
		struct hatch_event ev = { .kind = kind };

		if (kind == HATCH_MMIO)
			ev.mmio.width = 1;
		assert_ptr_equal(hatch_scope_find(&scope, &ev), &clause[kind]);
	}
	assert_ptr_equal(scope.any, &clause[HATCH_ANY]);
	hatch_scope_unseal(&scope);
}

/* ---- What is refused ---- */

static int add_alone(struct hatch_catch clause)
{
	struct hatch_scope scope;
	int error;

	hatch_scope_init(&scope, "scope", NULL);
	error = hatch_catch_add(&scope, &clause);
	assert_ptr_equal(scope.clauses, error ? NULL : &clause);
	return error;
}

static void test_invalid(void **state)
{
	struct hatch_scope scope;
	struct hatch_catch clause = HATCH_ON_HYPERCALLS(1, 2, handler, NULL);

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_catch_add(NULL, &clause), HATCH_EINVAL);
	assert_int_equal(hatch_catch_add(&scope, NULL), HATCH_EINVAL);
	assert_int_equal(add_alone(HATCH_ON_WFI(NULL, NULL)), HATCH_EINVAL);
	assert_int_equal(add_alone(make(HATCH_ANY + 1, 0, 0)), HATCH_EINVAL);
	assert_int_equal(add_alone(make(HATCH_CSR, 2, 1)), HATCH_EINVAL);
	assert_int_equal(add_alone(HATCH_ON_MMIO(0x1000UL, 0, handler, NULL)), HATCH_EINVAL);
	assert_int_equal(add_alone(HATCH_ON_MMIO(0x1000UL, UINT64_MAX, handler, NULL)),
			 HATCH_EINVAL);
	assert_int_equal(add_alone(HATCH_ON_ILLEGAL(0x7f, 0x80, handler, NULL)), HATCH_EINVAL);
	assert_int_equal(add_alone(HATCH_ON_ILLEGAL(BIT(32), 0, handler, NULL)), HATCH_EINVAL);
	clause.function_last = 5; /* functions of a range of extensions */
	assert_int_equal(add_alone(clause), HATCH_EINVAL);
	clause.last = clause.first;
	assert_int_equal(add_alone(clause), HATCH_OK);
	clause.function_first = 6;
	assert_int_equal(add_alone(clause), HATCH_EINVAL);
}

static void test_one_scope_at_a_time(void **state)
{
	struct hatch_scope one, other;
	struct hatch_catch clause = HATCH_ON_WFI(handler, NULL);

	(void)state;
	hatch_scope_init(&one, "one", NULL);
	hatch_scope_init(&other, "other", NULL);
	assert_int_equal(hatch_catch_add(&one, &clause), HATCH_OK);
	assert_int_equal(hatch_catch_add(&one, &clause), HATCH_EINVAL);
	assert_int_equal(hatch_catch_add(&other, &clause), HATCH_EINVAL);
	assert_int_equal(hatch_catch_remove(&other, &clause), HATCH_ENOENT);
	assert_int_equal(hatch_catch_remove(&one, &clause), HATCH_OK);
	assert_int_equal(hatch_catch_remove(&one, &clause), HATCH_ENOENT);
	assert_int_equal(hatch_catch_add(&other, &clause), HATCH_OK);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void test_sealed(void **state)
{
	struct hatch_catch clause = HATCH_ON_WFI(handler, NULL);
	struct hatch_catch other = HATCH_ON_BREAKPOINT(handler, NULL);
	struct hatch_finally last = { .run = nothing };
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_catch_add(&scope, &clause), HATCH_OK);
	hatch_scope_seal(&scope);
	hatch_scope_seal(&scope); /* in force in two tries */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(hatch_catch_add(&scope, &other), HATCH_ESEALED);
		assert_int_equal(hatch_catch_remove(&scope, &clause), HATCH_ESEALED);
		assert_int_equal(hatch_finally_add(&scope, &last), HATCH_ESEALED);
		hatch_scope_unseal(&scope);
	}
	assert_int_equal(hatch_catch_add(&scope, &other), HATCH_OK);
	assert_int_equal(hatch_finally_add(&scope, &last), HATCH_OK);
	assert_int_equal(hatch_catch_remove(&scope, &clause), HATCH_OK);
}

/* The tables follow the clauses: what was taken out is not found, what was added is. */
static void test_change_between_seals(void **state)
{
	struct hatch_catch a = HATCH_ON_CSR(1, 5, handler, NULL),
			   b = HATCH_ON_CSR(6, 9, handler, NULL);
	struct hatch_catch any = HATCH_ON_ANY(handler, NULL);
	struct hatch_event at_3 = { .kind = HATCH_CSR, .csr.number = 3 };
	struct hatch_event at_6 = { .kind = HATCH_CSR, .csr.number = 6 };
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_catch_add(&scope, &a), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &any), HATCH_OK);
	hatch_scope_seal(&scope);
	assert_ptr_equal(hatch_scope_find(&scope, &at_3), &a);
	assert_null(hatch_scope_find(&scope, &at_6));
	assert_ptr_equal(scope.any, &any);
	hatch_scope_unseal(&scope);

	assert_int_equal(hatch_catch_remove(&scope, &a), HATCH_OK);
	assert_int_equal(hatch_catch_remove(&scope, &any), HATCH_OK);
	hatch_scope_seal(&scope);
	assert_null(hatch_scope_find(&scope, &at_3));
	hatch_scope_unseal(&scope);

	assert_int_equal(hatch_catch_add(&scope, &b), HATCH_OK);
	hatch_scope_seal(&scope);
	assert_null(hatch_scope_find(&scope, &at_3));
	assert_ptr_equal(hatch_scope_find(&scope, &at_6), &b);
	assert_null(scope.any);
	hatch_scope_unseal(&scope);
}

/* ---- finally ---- */

static void test_finally(void **state)
{
	struct hatch_finally one = { .run = nothing }, two = { .run = nothing }, empty = { 0 };
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_finally_add(NULL, &one), HATCH_EINVAL);
	assert_int_equal(hatch_finally_add(&scope, NULL), HATCH_EINVAL);
	assert_int_equal(hatch_finally_add(&scope, &empty), HATCH_EINVAL);
	assert_int_equal(hatch_finally_add(&scope, &one), HATCH_OK);
	assert_int_equal(hatch_finally_add(&scope, &two), HATCH_OK);
	/* A second time would tie the list into a ring, and leaving the scope would never end. */
	assert_int_equal(hatch_finally_add(&scope, &two), HATCH_EINVAL);
	assert_int_equal(hatch_finally_add(&scope, &one), HATCH_EINVAL);
	assert_ptr_equal(scope.finally, &two); /* the last added runs first */
	assert_ptr_equal(two.next, &one);
	assert_null(one.next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_kinds_without_key),
		cmocka_unit_test(test_kinds_are_apart),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_one_scope_at_a_time),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_change_between_seals),
		cmocka_unit_test(test_finally),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
