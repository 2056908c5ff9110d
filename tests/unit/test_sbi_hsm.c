/* SPDX-License-Identifier: MIT */
/*
 * SBI HSM and SUSP: harts start, stop and sleep. From every state, every call.
 */
#include "sbi_fake.h"

#define START_OF_RAM RAM_BASE, 0x1234 /* a good address to start at, and an opaque value */

/* Somebody else will run it, later. */
static int defer_start(void *arg, struct hatch_sbi_hart *h)
{
	assert_null(arg);
	assert_int_equal(h->state, SBI_HART_START_PENDING);
	note("start:%lu ", (unsigned long)h->vcpu->hart_id);
	return 0;
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
	EXPECT(0, SBI_HART_STARTED, SBI_EXT_HSM, 2, 1);
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

/* Not stopped before its try has been left: that is for whoever runs it to say. */
static void test_hsm_stop(void **state)
{
	(void)state;
	for (int at = SBI_HART_STARTED; at <= SBI_HART_RESUME_PENDING; at++) {
		hart[0].state = SBI_HART_STARTED;
		hart[1].state = at;
		assert_int_equal(CALL(SBI_EXT_HSM, 1, 0), HATCH_UNWIND);
		assert_int_equal(k.finished, at == SBI_HART_STOPPED);
		assert_int_equal(sbi.reset, k.finished ? HATCH_RESET_STOPPED : HATCH_RESET_NONE);
		assert_int_equal(hart[0].state,
				 k.finished ? SBI_HART_STOPPED : SBI_HART_STOP_PENDING);
		sbi.reset = HATCH_RESET_NONE;
	}
}

/* From every state of another hart: who may be started, and what is told of it. */
static void test_hsm_states(void **state)
{
	(void)state;
	sbi.remote.start = defer_start;
	for (int at = SBI_HART_STARTED; at <= SBI_HART_RESUME_PENDING; at++) {
		bool stopped = at == SBI_HART_STOPPED;

		hart[1].state = at;
		vcpu[1].frame.pc = 0;
		EXPECT(0, (uint64_t)at, SBI_EXT_HSM, 2, 1);
		EXPECT(stopped ? 0 : SBI_ERR_ALREADY_AVAILABLE, 0, SBI_EXT_HSM, 0, 1, START_OF_RAM);
		assert_int_equal(hart[1].state, stopped ? SBI_HART_START_PENDING : at);
		assert_int_equal(vcpu[1].frame.pc, stopped ? RAM_BASE : 0);
		EXPECT_RECORD(stopped ? "start:1 " : "");
		assert_int_equal(hart[0].state, SBI_HART_STARTED);
	}
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
	EXPECT_RECORD("wait@0 ");
	assert_int_equal(seen, SBI_HART_SUSPENDED);
	assert_int_equal(hart[0].state, SBI_HART_STARTED);
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
	EXPECT_RECORD("");
	EXPECT(0, 0, SBI_EXT_HSM, 3, 0, 0, 0);		       /* resume_addr is unused */
	EXPECT(0, 0, SBI_EXT_HSM, 3, UINT64_C(1) << 32, 0, 0); /* 32 bits count */
	EXPECT_RECORD("wait@0 wait@0 ");
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 3, 0x80000000, 0, 0);
	EXPECT(SBI_ERR_INVALID_ADDRESS, 0, SBI_EXT_HSM, 3, 0x80000000, ROM_BASE, 0);
	EXPECT_RECORD("");
	expect_restart(SBI_EXT_HSM, 3, 0x80000000);
	expect_restart(SBI_EXT_HSM, 3, UINT64_C(0xffffffff80000000)); /* as a signed int */
}

/* The host has an interrupt first: the guest stands where it was, and makes the call again. */
static void test_interrupted_sleep(void **state)
{
	static const uint64_t calls[][3] = {
		{ SBI_EXT_HSM, 3, 0 },
		{ SBI_EXT_HSM, 3, 0x80000000 },
		{ SBI_EXT_SUSP, 0, 0 },
	};
	const struct hatch_vcpu before = vcpu[0];

	(void)state;
	woken = false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		seen = -1;
		assert_int_equal(CALL(calls[i][0], calls[i][1], calls[i][2], START_OF_RAM),
				 HATCH_RETRY);
		assert_int_equal(seen, SBI_HART_SUSPENDED);
		assert_int_equal(hart[0].state, SBI_HART_STARTED);
		assert_memory_equal(&vcpu[0], &before, sizeof(before));
	}
	EXPECT_RECORD("wait@0 wait@0 wait@0 ");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hsm_start, set_up),
		cmocka_unit_test_setup(test_hsm_start_fails, set_up),
		cmocka_unit_test_setup(test_hsm_status, set_up),
		cmocka_unit_test_setup(test_hsm_stop, set_up),
		cmocka_unit_test_setup(test_hsm_states, set_up),
		cmocka_unit_test_setup(test_hsm_suspend, set_up),
		cmocka_unit_test_setup(test_interrupted_sleep, set_up),
		cmocka_unit_test_setup(test_susp, set_up),
	};

	return cmocka_run_group_tests_name("sbi_hsm", tests, NULL, NULL);
}
