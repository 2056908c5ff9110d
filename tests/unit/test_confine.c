/* SPDX-License-Identifier: MIT */
/*
 * Confinement: what no clause asks for is delegated to the guest, and nothing else is.
 */
#include "support.h"

#include "../../src/core/confine.h"

/* The causes that hedeleg can hold: 18.2.2, table "Bits of hedeleg that must be hardwired". */
static bool is_delegable(uint64_t cause)
{
	return cause <= 8 || cause == 12 || cause == 13 || cause == 15;
}

static uint64_t delegable(void)
{
	uint64_t bits = 0;

	for (uint64_t cause = 0; cause < 64; cause++)
		bits |= is_delegable(cause) ? BIT(cause) : 0;
	return bits;
}

/* As hatch_vcpu_init leaves it. */
static const struct hatch_confinement initial = {
	.hstatus = BIT(33),		       /* VSXL = 2 */
	.hideleg = BIT(2) | BIT(6) | BIT(10),  /* the guest's own interrupts */
	.hcounteren = 7,		       /* cycle, time, instret */
	.henvcfg = BIT(63) | BIT(62) | BIT(7), /* STCE, PBMTE, CBZE */
	.htimedelta = 0x123456789,
};

/* The scope lies on the caller's stack: a try without a machine around it. */
static struct hatch_confinement confine(struct hatch_scope *innermost)
{
	static struct hatch_vcpu vcpu;
	struct hatch_try t = { .vcpu = &vcpu, .innermost = innermost };

	vcpu.confine = initial;
	vcpu.henvcfg = initial.henvcfg;
	hatch_confine(&t);
	return vcpu.confine;
}

static struct hatch_confinement confine_one(struct hatch_catch clause)
{
	struct hatch_scope scope;

	hatch_scope_init(&scope, "one", NULL);
	assert_int_equal(hatch_catch_add(&scope, &clause), HATCH_OK);
	return confine(&scope);
}

static void expect_same(const struct hatch_confinement *c, uint64_t hedeleg)
{
	assert_int_equal(c->hedeleg, hedeleg);
	assert_int_equal(c->hstatus, initial.hstatus);
	assert_int_equal(c->hideleg, initial.hideleg);
	assert_int_equal(c->hcounteren, initial.hcounteren);
	assert_int_equal(c->henvcfg, initial.henvcfg);
	assert_int_equal(c->htimedelta, initial.htimedelta);
}

static enum hatch_verdict handler(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_skip(k);
}

static void test_nobody_asks(void **state)
{
	struct hatch_scope scope;
	struct hatch_confinement c;

	(void)state;
	hatch_scope_init(&scope, "empty", NULL);
	c = confine(&scope);
	expect_same(&c, delegable());
}

/* These events come whatever hedeleg says, or are taken as they come. */
static void test_asks_for_nothing(void **state)
{
	const struct hatch_catch clauses[] = {
		HATCH_ON_HYPERCALLS(0, UINT64_MAX, handler, NULL),
		HATCH_ON_MMIO(0x1000, 0x1000, handler, NULL),
		HATCH_ON_PAGE(0x80000000, 0x1000, handler, NULL),
		HATCH_ON_INTERRUPT(IRQ_S_TIMER, handler, NULL),
		HATCH_ON_ANY(handler, NULL),
		HATCH_ON_FAULT(CAUSE_FETCH_GUEST_PAGE_FAULT, UINT64_MAX, handler, NULL),
		HATCH_ON_CSR(0x300, 0x3ff, handler, NULL),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(clauses); i++) {
		struct hatch_confinement c = confine_one(clauses[i]);

		expect_same(&c, delegable());
	}
}

static void test_own_kinds(void **state)
{
	const struct {
		struct hatch_catch clause;
		uint64_t cause;
	} cases[] = {
		{ HATCH_ON_ILLEGAL(0x7f, 0x0b, handler, NULL), 2 },
		{ HATCH_ON_BREAKPOINT(handler, NULL), 3 },
		{ HATCH_ON_SYSCALLS(64, 64, handler, NULL), 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_confinement c = confine_one(cases[i].clause);

		expect_same(&c, delegable() & ~BIT(cases[i].cause));
	}
}

/* A range of causes withholds each of its causes, but none that has a kind of its own. */
static void test_fault_ranges(void **state)
{
	(void)state;
	for (uint64_t first = 0; first < 70; first++) {
		for (uint64_t last = first; last < 70; last++) {
			struct hatch_confinement c =
				confine_one(HATCH_ON_FAULT(first, last, handler, NULL));
			uint64_t expected = delegable();

			for (uint64_t cause = first; cause <= last && cause < 64; cause++)
				if (cause != 2 && cause != 3 && cause != 8)
					expected &= ~BIT(cause);
			expect_same(&c, expected);
		}
	}
}

static void test_every_fault(void **state)
{
	struct hatch_confinement c = confine_one(HATCH_ON_FAULT(0, UINT64_MAX, handler, NULL));

	(void)state;
	expect_same(&c, BIT(2) | BIT(3) | BIT(8));
}

static void test_wfi(void **state)
{
	struct hatch_confinement c = confine_one(HATCH_ON_WFI(handler, NULL));

	(void)state;
	assert_int_equal(c.hstatus, initial.hstatus | BIT(21)); /* VTW */
	assert_int_equal(c.hedeleg, delegable());
}

/* A counter is withheld by its bit of hcounteren, and the guest's own timer with stimecmp. */
static void test_csrs(void **state)
{
	static const struct {
		uint64_t first, last, hcounteren;
		bool stce;
	} cases[] = {
		{ 0xc00, 0xc00, 6, true },   { 0xc01, 0xc01, 5, true }, { 0xc02, 0xc02, 3, true },
		{ 0xc00, 0xc02, 0, true },   { 0xc01, 0xfff, 1, true }, { 0xc03, 0xc1f, 7, true },
		{ 0x14d, 0x14d, 7, false },  { 0x14c, 0x14c, 7, true }, { 0x14e, 0xbff, 7, true },
		{ 0, UINT64_MAX, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_confinement c =
			confine_one(HATCH_ON_CSR(cases[i].first, cases[i].last, handler, NULL));

		assert_int_equal(c.hcounteren, cases[i].hcounteren);
		assert_int_equal(c.henvcfg >> 63, cases[i].stce);
		assert_int_equal(c.henvcfg & ~BIT(63), initial.henvcfg & ~BIT(63));
		assert_int_equal(c.hedeleg, delegable());
	}
}

/* Clauses of all scopes count, from the innermost to the outermost. */
static void test_scopes_add_up(void **state)
{
	struct hatch_catch breakpoint = HATCH_ON_BREAKPOINT(handler, NULL);
	struct hatch_catch illegal = HATCH_ON_ILLEGAL(0, 0, handler, NULL);
	struct hatch_catch wfi = HATCH_ON_WFI(handler, NULL);
	struct hatch_scope outer, middle, inner;
	struct hatch_confinement c;

	(void)state;
	hatch_scope_init(&outer, "outer", NULL);
	hatch_scope_init(&middle, "middle", &outer);
	hatch_scope_init(&inner, "inner", &middle);
	assert_int_equal(hatch_catch_add(&outer, &breakpoint), HATCH_OK);
	assert_int_equal(hatch_catch_add(&middle, &wfi), HATCH_OK);
	assert_int_equal(hatch_catch_add(&inner, &illegal), HATCH_OK);
	c = confine(&inner);
	assert_int_equal(c.hedeleg, delegable() & ~BIT(2) & ~BIT(3));
	assert_int_equal(c.hstatus, initial.hstatus | BIT(21));
	c = confine(&outer);
	assert_int_equal(c.hedeleg, delegable() & ~BIT(3));
	assert_int_equal(c.hstatus, initial.hstatus);
}

/* What a clause took away comes back when the clause is gone. */
static void test_given_back(void **state)
{
	struct hatch_catch wfi = HATCH_ON_WFI(handler, NULL);
	struct hatch_catch counters = HATCH_ON_CSR(CSR_CYCLE, CSR_INSTRET, handler, NULL);
	struct hatch_catch stimecmp = HATCH_ON_CSR(0x14d, 0x14d, handler, NULL);
	struct hatch_vcpu vcpu = { .confine = initial, .henvcfg = initial.henvcfg };
	struct hatch_scope scope;
	struct hatch_try t = { .vcpu = &vcpu, .innermost = &scope };

	(void)state;
	hatch_scope_init(&scope, "scope", NULL);
	assert_int_equal(hatch_catch_add(&scope, &wfi), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &counters), HATCH_OK);
	assert_int_equal(hatch_catch_add(&scope, &stimecmp), HATCH_OK);
	hatch_confine(&t);
	assert_int_equal(vcpu.confine.hstatus, initial.hstatus | BIT(21));
	assert_int_equal(vcpu.confine.henvcfg, initial.henvcfg & ~BIT(63));
	assert_int_equal(vcpu.confine.hcounteren, 0);
	assert_int_equal(hatch_catch_remove(&scope, &wfi), HATCH_OK);
	assert_int_equal(hatch_catch_remove(&scope, &counters), HATCH_OK);
	assert_int_equal(hatch_catch_remove(&scope, &stimecmp), HATCH_OK);
	hatch_confine(&t);
	expect_same(&vcpu.confine, delegable());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_asks), cmocka_unit_test(test_asks_for_nothing),
		cmocka_unit_test(test_own_kinds),   cmocka_unit_test(test_fault_ranges),
		cmocka_unit_test(test_every_fault), cmocka_unit_test(test_wfi),
		cmocka_unit_test(test_csrs),	    cmocka_unit_test(test_scopes_add_up),
		cmocka_unit_test(test_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
