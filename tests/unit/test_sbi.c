/* SPDX-License-Identifier: MIT */
/*
 * SBI 2.0, every extension, every function, every reserved value.
 */
#include "sbi_fake.h"

#define START_OF_RAM RAM_BASE, 0x1234 /* a good address to start at, and an opaque value */

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
	EXPECT_RECORD("");
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_IPI, 1, 1, 0);
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

/* Harts that run elsewhere are reached through the user; without him the call fails. */
static void test_remote(void **state)
{
	(void)state;
	hart[1].state = hart[2].state = SBI_HART_STARTED;
	EXPECT(SBI_ERR_FAILED, 0, SBI_EXT_IPI, 0, 2, 0);
	sbi.remote.order = fake_order;
	EXPECT(0, 0, SBI_EXT_IPI, 0, 2, 0);
	EXPECT_RECORD("order:0@1 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 0, UINT64_MAX);
	EXPECT_RECORD("fence.i order:1@1 order:1@70 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 2, 1, 70, 0x1000, 0x1000, 9);
	EXPECT_RECORD("order:3@70 ");
}

static void test_rfence(void **state)
{
	(void)state;
	EXPECT(0, 0, SBI_EXT_RFENCE, 0, 1, 0);
	EXPECT_RECORD("fence.i ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0, 0);
	EXPECT_RECORD("all ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5000, UINT64_MAX);
	EXPECT_RECORD("all ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5000, 0);
	EXPECT_RECORD("");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5ff8, 16);
	EXPECT_RECORD("5000 6000 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, 0x5000, 64 * HATCH_PAGE_SIZE + 1);
	EXPECT_RECORD("all ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 1, 1, 0, -UINT64_C(0x1000), 0x1000);
	EXPECT_RECORD("fffffffffffff000 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 2, 1, 0, 0, 0, 5);
	EXPECT_RECORD("asid:5 ");
	EXPECT(0, 0, SBI_EXT_RFENCE, 2, 1, 0, 0x5000, 1, 5);
	EXPECT_RECORD("5000:5 ");
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

static void test_hsm_start(void **state)
{
	(void)state;
	sbi.remote.start = fake_start;
	EXPECT(SBI_ERR_ALREADY_AVAILABLE, 0, SBI_EXT_HSM, 0, 0, START_OF_RAM);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_HSM, 0, 2, START_OF_RAM);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_HSM, 0, UINT64_MAX, START_OF_RAM);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 0, 1, RAM_BASE - 2, 0);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 0, 1, RAM_BASE + 1, 0);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 0, 1, ROM_BASE, 0);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 0, 1, UINT64_MAX - 0x1001, 0);
	EXPECT_RECORD("");
	EXPECT(0, 1, SBI_EXT_HSM, 2, 1);
	EXPECT(0, 0, SBI_EXT_HSM, 0, 1, START_OF_RAM);
	EXPECT_RECORD("start:1 ");
	assert_int_equal(vcpu[1].frame.pc, RAM_BASE);
	assert_int_equal(vcpu[1].frame.x[10], 1);
	assert_int_equal(vcpu[1].frame.x[11], 0x1234);
	EXPECT(0, 0, SBI_EXT_HSM, 2, 1);
	EXPECT(SBI_ERR_ALREADY_AVAILABLE, 0, SBI_EXT_HSM, 0, 1, START_OF_RAM);
	EXPECT(0, 0, SBI_EXT_HSM, 0, 70, LAZY_BASE, 0); /* its page will come */
}

static void test_hsm_start_fails(void **state)
{
	(void)state;
	EXPECT(SBI_ERR_FAILED, 0, SBI_EXT_HSM, 0, 1, START_OF_RAM);
	EXPECT(0, SBI_HART_STOPPED, SBI_EXT_HSM, 2, 1);
}

static void test_hsm_status(void **state)
{
	(void)state;
	EXPECT(0, 0, SBI_EXT_HSM, 2, 0);
	EXPECT(0, 1, SBI_EXT_HSM, 2, 70);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_HSM, 2, 2);
	EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_HSM, 2, UINT64_MAX);
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_HSM, 4, 0);
}

static void test_hsm_stop(void **state)
{
	(void)state;
	hart[1].state = SBI_HART_STARTED;
	assert_int_equal(CALL(SBI_EXT_HSM, 1, 0), HATCH_UNWIND);
	assert_false(k.finished);
	assert_int_equal(sbi.reset, HATCH_RESET_NONE);
	assert_int_equal(hart[0].state, SBI_HART_STOPPED);
	hart[0].state = SBI_HART_STARTED;
	hart[1].state = SBI_HART_STOPPED;
	assert_int_equal(CALL(SBI_EXT_HSM, 1, 0), HATCH_UNWIND);
	assert_true(k.finished);
	assert_int_equal(sbi.reset, HATCH_RESET_STOPPED);
}

/* The hart begins anew, with the interrupts that would have woken it. */
static void expect_restart(uint64_t id, uint64_t function, uint64_t type)
{
	vcpu[0].confine.henvcfg = HENVCFG_STCE;
	vcpu[0].vs.vstimecmp = 77;
	vcpu[0].vs.vsatp = 1;
	vcpu[0].hvip = HVIP_VSEIP;
	vcpu[0].frame.x[8] = 1;
	assert_int_equal(CALL(id, function, type, START_OF_RAM), HATCH_RETRY);
	assert_true(clause_of(id)->registers);
	assert_int_equal(vcpu[0].frame.pc, RAM_BASE);
	assert_int_equal(vcpu[0].frame.x[8], 0);
	assert_int_equal(vcpu[0].frame.x[10], 0);
	assert_int_equal(vcpu[0].frame.x[11], 0x1234);
	assert_int_equal(vcpu[0].vs.vsatp, 0);
	assert_int_equal(vcpu[0].vs.vstimecmp, 77);
	assert_int_equal(vcpu[0].hvip, HVIP_VSEIP);
}

static void test_hsm_suspend(void **state)
{
	static const uint32_t bad[] = { 1,	    0x0fffffff, 0x10000000, 0x7fffffff,
					0x80000001, 0x8fffffff, 0x90000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_HSM, 3, bad[i], START_OF_RAM);
	EXPECT(0, 0, SBI_EXT_HSM, 3, 0, 0, 0);		       /* resume_addr is unused */
	EXPECT(0, 0, SBI_EXT_HSM, 3, UINT64_C(1) << 32, 0, 0); /* 32 bits count */
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 3, 0x80000000, 0, 0);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 3, 0x80000000, ROM_BASE, 0);
	expect_restart(SBI_EXT_HSM, 3, 0x80000000);
	expect_restart(SBI_EXT_HSM, 3, UINT64_C(0xffffffff80000000)); /* as a signed int */
}

static void test_susp(void **state)
{
	static const uint32_t bad[] = { 1, 0x7fffffff, 0x80000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(SBI_ERR_INVALID_PARAM, 0, SBI_EXT_SUSP, 0, bad[i], START_OF_RAM);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_SUSP, 0, 0, RAM_BASE - 4, 0);
	hart[2].state = SBI_HART_STARTED;
	EXPECT(SBI_ERR_DENIED, 0, SBI_EXT_SUSP, 0, 0, START_OF_RAM);
	hart[2].state = SBI_HART_STOPPED;
	EXPECT(SBI_ERR_NOT_SUPPORTED, 0, SBI_EXT_SUSP, 1, 0, START_OF_RAM);
	expect_restart(SBI_EXT_SUSP, 0, 0);
}

static void test_srst(void **state)
{
	static const enum hatch_reset_kind kinds[] = { HATCH_RESET_SHUTDOWN,
						       HATCH_RESET_COLD_REBOOT,
						       HATCH_RESET_WARM_REBOOT };

	(void)state;
	for (uint64_t type = 0; type < 3; type++) {
		for (uint64_t reason = 0; reason < 2; reason++) {
			assert_int_equal(CALL(SBI_EXT_SRST, 0, type, reason), HATCH_UNWIND);
			assert_true(k.finished);
			assert_int_equal(k.status, reason);
			assert_int_equal(sbi.reset, kinds[type]);
			assert_int_equal(sbi.reason, reason);
		}
	}
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
		cmocka_unit_test_setup(test_mask, set_up),
		cmocka_unit_test_setup(test_remote, set_up),
		cmocka_unit_test_setup(test_rfence, set_up),
		cmocka_unit_test_setup(test_rfence_errors, set_up),
		cmocka_unit_test_setup(test_hsm_start, set_up),
		cmocka_unit_test_setup(test_hsm_start_fails, set_up),
		cmocka_unit_test_setup(test_hsm_status, set_up),
		cmocka_unit_test_setup(test_hsm_stop, set_up),
		cmocka_unit_test_setup(test_hsm_suspend, set_up),
		cmocka_unit_test_setup(test_susp, set_up),
		cmocka_unit_test_setup(test_srst, set_up),
		cmocka_unit_test_setup(test_srst_errors, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
