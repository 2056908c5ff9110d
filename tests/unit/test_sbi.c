/* SPDX-License-Identifier: MIT */
/*
 * SBI 2.0, every extension, every function, every reserved value. Harts that come and go:
 * test_sbi_hsm.c.
 */
#include "sbi_fake.h"

static void test_base(void **state)
{
	(void)state;
	EXPECT(0, 0x02000000, SBI_EXT_BASE, 0, 0);
	EXPECT(0, HATCH_SBI_IMPL_ID, SBI_EXT_BASE, 1, 0);
	EXPECT(0, HATCH_VERSION_NUMBER, SBI_EXT_BASE, 2, 0);
	for (uint64_t id = 4; id <= 6; id++)
		EXPECT(0, 0, SBI_EXT_BASE, id, 0);
	sbi.mvendorid = 5;
	sbi.marchid = 6;
	sbi.mimpid = 7;
	EXPECT(0, 5, SBI_EXT_BASE, 4, 0);
	EXPECT(0, 6, SBI_EXT_BASE, 5, 0);
	EXPECT(0, 7, SBI_EXT_BASE, 6, 0);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_BASE, 7, 0);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_BASE, UINT64_MAX, 0);
}

static enum hatch_verdict ignore(void *arg, const struct hatch_event *ev, struct hatch_cont *cont)
{
	(void)arg;
	(void)ev;
	return hatch_resume(cont, 0);
}

/* Only what is in a scope that is in force is there; the catch-all for hypercalls is not. */
static void test_probe(void **state)
{
	struct hatch_catch mmio = HATCH_ON_MMIO(UINT64_C(0x0b000000), 0x100, ignore, NULL);
	struct hatch_scope inner;

	(void)state;
	EXPECT(0, 0, SBI_EXT_BASE, 3, SBI_EXT_TIME);
	hatch_scope_init(&inner, "inner", &run.scope);
	assert_int_equal(hatch_sbi_add_rest(&sbi, &run.scope), 0);
	assert_int_equal(hatch_sbi_add(&sbi, &inner), 0);
	assert_int_equal(hatch_catch_add(&run.scope, &mmio), 0);
	EXPECT(0, 0, SBI_EXT_BASE, 3, SBI_EXT_TIME);
	run.innermost = &inner;
	static const uint64_t there[] = { 0,
					  8,
					  SBI_EXT_BASE,
					  SBI_EXT_TIME,
					  SBI_EXT_IPI,
					  SBI_EXT_RFENCE,
					  SBI_EXT_HSM,
					  SBI_EXT_SRST,
					  SBI_EXT_DBCN,
					  SBI_EXT_SUSP };
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		EXPECT(0, 1, SBI_EXT_BASE, 3, there[i]);
	static const uint64_t absent[] = { 9,	       0x0f,	   0x11,      0x504d55,
					   0x0a000000, 0x0b000000, UINT64_MAX };
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		EXPECT(0, 0, SBI_EXT_BASE, 3, absent[i]);
	assert_int_equal(hatch_catch_remove(&inner, &sbi.susp), 0);
	EXPECT(0, 0, SBI_EXT_BASE, 3, SBI_EXT_SUSP);
}

static void test_probe_own(void **state)
{
	struct hatch_catch own = HATCH_ON_HYPERCALLS(0x0a000000, 0x0a0000ff, ignore, NULL);

	(void)state;
	assert_int_equal(hatch_catch_add(&run.scope, &own), 0);
	EXPECT(0, 1, SBI_EXT_BASE, 3, 0x0a000000);
	EXPECT(0, 1, SBI_EXT_BASE, 3, 0x0a0000ff);
	EXPECT(0, 0, SBI_EXT_BASE, 3, 0x0a000100);
}

/* A scope that takes not all clauses gets none of them. */
static void test_add_is_whole(void **state)
{
	struct hatch_catch other = HATCH_ON_HYPERCALL(SBI_EXT_SUSP, ignore, NULL);

	(void)state;
	assert_int_equal(hatch_catch_add(&run.scope, &other), 0);
	assert_int_equal(hatch_sbi_add(&sbi, &run.scope), HATCH_EOVERLAP);
	assert_ptr_equal(run.scope.clauses, &other);
	assert_null(other.next);
	assert_int_equal(hatch_catch_remove(&run.scope, &other), 0);
	assert_int_equal(hatch_sbi_add(&sbi, &run.scope), 0);
}

/* Of harts 0, 1, ... none is searched for; the answers are the same. */
static void test_ordered_mask(void **state)
{
	(void)state;
	vcpu[2].hart_id = 2;
	hatch_sbi_init(&sbi, hart, HARTS, &timer);
	assert_true(sbi.ordered);
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 7, 0);
	EXPECT_RECORD("0@0 0@1 0@2 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 3, 1);
	EXPECT_RECORD("0@1 0@2 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 0, 2);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, 0, 8, 0);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, 0, 2, 2);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, 0, UINT64_C(1) << 63, 0);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, 0, 0, 3);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, 0, 4, UINT64_MAX - 1);
	EXPECT_RECORD("");
}

static void test_rest(void **state)
{
	static const uint64_t ids[] = { 9, 0x0f, 0x11, 0x504d55, 0x8000000, 0xa000000, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		EXPECT(SBI_ERR_NOT_SUPPORTED, 0, ids[i], 0, 1, 2, 3);
}

static void test_time(void **state)
{
	(void)state;
	vcpu[0].hvip = HVIP_VSTIP | HVIP_VSSIP;
	vcpu[0].confine.htimedelta = -UINT64_C(1000);
	EXPECT(0, 0, SBI_EXT_TIME, 0, 500);
	assert_int_equal(armed, 1500);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	EXPECT(0, 0, SBI_EXT_TIME, 0, UINT64_MAX);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_TIME, 1, 700);
	assert_int_equal(armed, HATCH_TIMER_NEVER);
}

static void test_ipi(void **state)
{
	(void)state;
	EXPECT(0, 0, SBI_EXT_IPI, 0, 1, 0);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	vcpu[0].hvip = 0;
	EXPECT(0, 0, SBI_EXT_IPI, 0, 0, 0);
	EXPECT(0, 0, SBI_EXT_IPI, 0, 3, 0); /* hart 1 is stopped */
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
	assert_int_equal(vcpu[1].hvip, 0);
	for (int at = SBI_HART_STARTED; at <= SBI_HART_RESUME_PENDING; at++) {
		hart[1].state = at;
		vcpu[1].hvip = 0;
		EXPECT(0, 0, SBI_EXT_IPI, 0, 1, 1);
		assert_int_equal(vcpu[1].hvip, at == SBI_HART_STOPPED ? 0 : HVIP_VSSIP);
	}
	EXPECT_RECORD("");
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_IPI, 1, 1, 0);
}

/* Ids need not stand in their order; they are found all the same. */
static void test_ids(void **state)
{
	(void)state;
	for (int i = 0; i < HARTS; i++)
		hart[i].vcpu = &vcpu[HARTS - 1 - i];
	hatch_sbi_init(&sbi, hart, HARTS, &timer);
	for (int i = 0; i < HARTS; i++)
		hart[i].state = SBI_HART_STARTED;
	EXPECT(0, 0, SBI_EXT_IPI, 0, 2, 0);
	assert_int_equal(vcpu[1].hvip, HVIP_VSSIP);
	EXPECT(0, 0, SBI_EXT_IPI, 0, 1, 70);
	assert_int_equal(vcpu[2].hvip, HVIP_VSSIP);
	assert_int_equal(vcpu[0].hvip, 0);
	EXPECT(0, 0, SBI_EXT_IPI, 0, 1, 0);
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
}

static void test_mask(void **state)
{
	(void)state;
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, 4, 0);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, 7, 0); /* one bad bit: nobody is told */
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, 1, 71);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, 0, 71);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, 4, UINT64_MAX - 1);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_IPI, 0, UINT64_MAX, 0);
	assert_int_equal(vcpu[0].hvip, 0);
	EXPECT(0, 0, SBI_EXT_IPI, 0, 1, 70);
	EXPECT(0, 0, SBI_EXT_IPI, 0, UINT64_C(1) << 63, 7);
	assert_int_equal(vcpu[0].hvip, 0);
	EXPECT(0, 0, SBI_EXT_IPI, 0, 0, UINT64_MAX); /* base -1: the mask is ignored */
	assert_int_equal(vcpu[0].hvip, HVIP_VSSIP);
}

/* Every hart of the mask is told, stopped or not: it may have cached something in its last life. */
static void test_rfence(void **state)
{
	(void)state;
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 1, 0);
	EXPECT_RECORD("0@0 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 0, UINT64_MAX);
	EXPECT_RECORD("0@0 0@1 0@70 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0, 0);
	EXPECT_RECORD("1@0:0+ffffffffffffffff ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 3, 0, 0x5000, UINT64_MAX);
	EXPECT_RECORD("1@0:5000+ffffffffffffffff 1@1:5000+ffffffffffffffff ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5000, 0);
	EXPECT_RECORD("1@0:5000+0 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5ff8, 16);
	EXPECT_RECORD("1@0:5ff8+10 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, -UINT64_C(0x1000), 0x1000);
	EXPECT_RECORD("1@0:fffffffffffff000+1000 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 2, 1, 0, 0, 0, 5);
	EXPECT_RECORD("2@0:0+ffffffffffffffff/5 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 2, 1, 70, 0x5000, 1, 5);
	EXPECT_RECORD("2@70:5000+1/5 ");
}

static void test_rfence_errors(void **state)
{
	(void)state;
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_RFENCE, 1, 1, 0, -UINT64_C(0x1000), 0x1001);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_RFENCE, 2, 1, 0, 3, UINT64_MAX - 1, 0);
	for (uint64_t function = 0; function < 3; function++)
		EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_RFENCE, function, 4, 0, 0, 0, 0);
	for (uint64_t function = 3; function < 9; function++)
		EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_RFENCE, function, 1, 0, 0, 0, 0);
	EXPECT_RECORD("");
}

static void test_srst(void **state)
{
	static const enum hatch_reset_kind kinds[] = { HATCH_RESET_SHUTDOWN,
						       HATCH_RESET_COLD_REBOOT,
						       HATCH_RESET_WARM_REBOOT };

	(void)state;
	for (uint64_t type = 0; type < 3; type++) {
		for (uint64_t reason = 0; reason < 2; reason++) {
			sbi.reset = HATCH_RESET_NONE;
			assert_int_equal(CALL(SBI_EXT_SRST, 0, type, reason), HATCH_UNWIND);
			assert_true(k.finished);
			assert_int_equal(k.status, reason);
			assert_int_equal(sbi.reset, kinds[type]);
			assert_int_equal(sbi.reason, reason);
		}
	}
}

/* Of two harts that have a wish the first is heard. */
static void test_srst_twice(void **state)
{
	(void)state;
	assert_int_equal(CALL(SBI_EXT_SRST, 0, 1, 0), HATCH_UNWIND);
	assert_int_equal(CALL(SBI_EXT_SRST, 0, 0, 1), HATCH_UNWIND);
	assert_true(k.finished);
	assert_int_equal(sbi.reset, HATCH_RESET_COLD_REBOOT);
	assert_int_equal(sbi.reason, 0);
}

static void test_srst_errors(void **state)
{
	static const uint32_t types[] = { 3, 0xefffffff, 0xf0000000, 0xffffffff };
	static const uint32_t reasons[] = { 2,		0xdfffffff, 0xe0000000,
					    0xefffffff, 0xf0000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_SRST, 0, types[i], 0);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_SRST, 0, 0, reasons[i]);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_SRST, 1, 0, 0);
	assert_int_equal(sbi.reset, HATCH_RESET_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_base, set_up),
		cmocka_unit_test_setup(test_probe, set_up),
		cmocka_unit_test_setup(test_probe_own, set_up),
		cmocka_unit_test_setup(test_add_is_whole, set_up),
		cmocka_unit_test_setup(test_rest, set_up),
		cmocka_unit_test_setup(test_time, set_up),
		cmocka_unit_test_setup(test_ipi, set_up),
		cmocka_unit_test_setup(test_ids, set_up),
		cmocka_unit_test_setup(test_mask, set_up),
		cmocka_unit_test_setup(test_ordered_mask, set_up),
		cmocka_unit_test_setup(test_rfence, set_up),
		cmocka_unit_test_setup(test_rfence_errors, set_up),
		cmocka_unit_test_setup(test_srst, set_up),
		cmocka_unit_test_setup(test_srst_twice, set_up),
		cmocka_unit_test_setup(test_srst_errors, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
