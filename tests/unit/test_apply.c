/* SPDX-License-Identifier: MIT */
/*
 * Verdicts: which make sense for which event, and what each of them does to the guest.
 */
#include "support.h"

#include "../../src/core/apply.h"

static struct world world;
static struct hatch_vcpu before;

static int setup(void **state)
{
	(void)state;
	world_init(&world);
	return 0;
}

/* ---- What is allowed ---- */

static void expect_verdicts(enum hatch_kind kind, unsigned int length, const char *allowed)
{
	struct hatch_event ev = { .kind = kind, .length = (uint8_t)length };

	for (unsigned int verdict = 0; allowed[verdict]; verdict++)
		assert_int_equal(hatch_apply_check(&ev, verdict),
				 allowed[verdict] == 'y' ? HATCH_OK : HATCH_EVERDICT);
}

/* In the order PASS, RESUME, SKIP, RETRY, INJECT, UNWIND, THROW, CAPTURE, REFUSED, and one that is none. */
static void test_check(void **state)
{
	static const struct {
		enum hatch_kind kind;
		const char *of_4, *of_2, *of_0; /* by the instruction's length, bytes */
	} table[] = {
		{ HATCH_HYPERCALL, "yyyyyyyynn", "yyyyyyyynn", "ynnyyyyynn" },
		{ HATCH_SYSCALL, "yyyyyyyynn", "yyyyyyyynn", "ynnyyyyynn" },
		{ HATCH_MMIO, "yyyyyynynn", "yyyyyynynn", "ynnyyynynn" },
		{ HATCH_PAGE, "ynyyyynynn", "ynyyyynynn", "ynnyyynynn" },
		{ HATCH_ILLEGAL, "yyyyyyyynn", "ynyyyyyynn", "ynnyyyyynn" },
		{ HATCH_CSR, "yyyyyyyynn", "yyyyyyyynn", "ynnyyyyynn" },
		{ HATCH_WFI, "yyyyyyyynn", "yyyyyyyynn", "ynnyyyyynn" },
		{ HATCH_BREAKPOINT, "yyyyyyyynn", "yyyyyyyynn", "ynnyyyyynn" },
		{ HATCH_FAULT, "ynyyyynynn", "ynyyyynynn", "ynnyyynynn" },
		{ HATCH_INTERRUPT, "yynynynynn", "yynynynynn", "yynynynynn" },
		{ HATCH_DEADLINE, "yynynynynn", "yynynynynn", "yynynynynn" },
	};

	(void)state;
	assert_int_equal(COUNT_OF(table), HATCH_KINDS);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		expect_verdicts(table[i].kind, 4, table[i].of_4);
		expect_verdicts(table[i].kind, 2, table[i].of_2);
		expect_verdicts(table[i].kind, 0, table[i].of_0);
	}
}

/* ---- What is done ---- */

static void apply(const struct hatch_event *ev)
{
	before = world.vcpu;
	hatch_apply(&world.vcpu, ev, &world.cont);
}

/* Nothing but the pc and what the caller has put into `before` is different now. */
static void expect_step(unsigned int bytes)
{
	before.frame.pc += bytes;
	assert_memory_equal(&world.vcpu, &before, sizeof(before));
}

static void resume(const struct hatch_event *ev, uint64_t value)
{
	world.cont.verdict = HATCH_PASS;
	assert_int_equal(hatch_resume(&world.cont, value), HATCH_RESUME);
	apply(ev);
}

static void test_calls(void **state)
{
	static const enum hatch_kind kinds[] = { HATCH_HYPERCALL, HATCH_SYSCALL };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct hatch_event ev = { .kind = kinds[i], .length = 4 };

		resume(&ev, 0x1111222233334444);
		before.frame.x[10] = 0x1111222233334444;
		expect_step(4);

		world.cont.verdict = HATCH_PASS;
		hatch_resume_pair(&world.cont, 5, 6);
		apply(&ev);
		before.frame.x[10] = 5;
		before.frame.x[11] = 6;
		expect_step(4);

		resume(&ev, 7); /* a1 is written only for a pair, also right after one */
		before.frame.x[10] = 7;
		expect_step(4);
	}
}

/* A second value that the event has no place for must not reach the next hypercall's a1. */
static void test_pair_does_not_leak(void **state)
{
	struct hatch_event wfi = { .kind = HATCH_WFI, .length = 4 };
	struct hatch_event call = { .kind = HATCH_HYPERCALL, .length = 4 };

	(void)state;
	hatch_resume_pair(&world.cont, 5, 6);
	apply(&wfi);
	expect_step(4);
	resume(&call, 7);
	before.frame.x[10] = 7;
	expect_step(4);
}

static void test_load(void **state)
{
	static const struct {
		unsigned int width;
		bool sign;
		uint64_t answer, expected;
	} cases[] = {
		{ 1, false, 0x1234567890abcdef, 0xef },
		{ 1, true, 0x1234567890abcdef, 0xffffffffffffffef },
		{ 1, true, 0x7f, 0x7f },
		{ 2, false, 0x1234567890abcdef, 0xcdef },
		{ 2, true, 0x1234567890abcdef, 0xffffffffffffcdef },
		{ 2, true, 0xffff7fff, 0x7fff },
		{ 4, false, 0x1234567890abcdef, 0x90abcdef },
		{ 4, true, 0x1234567890abcdef, 0xffffffff90abcdef },
		{ 4, true, 0xffffffff7fffffff, 0x7fffffff },
		{ 8, true, 0x1234567890abcdef, 0x1234567890abcdef },
		{ 8, false, 0xffffffffffffffff, 0xffffffffffffffff },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned int rd = 0; rd < 32; rd++) {
			struct hatch_event ev = { .kind = HATCH_MMIO, .length = rd % 2 ? 2 : 4 };

			ev.mmio.width = (uint8_t)cases[i].width;
			ev.mmio.sign = cases[i].sign;
			ev.mmio.rd = (uint8_t)rd;
			resume(&ev, cases[i].answer);
			if (rd)
				before.frame.x[rd] = cases[i].expected;
			expect_step(rd % 2 ? 2 : 4);
		}
	}
}

/* Unprivileged ISA, "NaN Boxing of Narrower Values": ones above a narrower number. */
static void test_load_fp(void **state)
{
	static const struct {
		unsigned int width;
		uint64_t expected;
	} cases[] = { { 2, 0xffffffffffffcdef },
		      { 4, 0xffffffff70abcdef },
		      { 8, 0x1234567870abcdef } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned int rd = 0; rd < 32; rd++) { /* f0 is a register like the others */
			struct hatch_event ev = { .kind = HATCH_MMIO, .length = 4 };

			ev.mmio.width = (uint8_t)cases[i].width;
			ev.mmio.fp = true;
			ev.mmio.rd = (uint8_t)rd;
			resume(&ev, 0x1234567870abcdef);
			before.fp[rd] = cases[i].expected;
			expect_step(4);
		}
	}
}

/* Their answer has no place to go: only the pc moves. */
static void test_no_result(void **state)
{
	struct hatch_event store = { .kind = HATCH_MMIO, .length = 2 };
	struct hatch_event wfi = { .kind = HATCH_WFI, .length = 4 };
	struct hatch_event breakpoint = { .kind = HATCH_BREAKPOINT, .length = 2 };
	struct hatch_event interrupt = { .kind = HATCH_INTERRUPT };

	(void)state;
	store.mmio.write = true;
	store.mmio.width = 4;
	store.mmio.rd = 5;
	resume(&store, 99);
	expect_step(2);
	resume(&wfi, 99);
	expect_step(4);
	resume(&breakpoint, 99);
	expect_step(2);
	resume(&interrupt, 99);
	expect_step(0);
}

static void test_csr_and_illegal(void **state)
{
	(void)state;
	for (unsigned int rd = 0; rd < 32; rd++) {
		struct hatch_event csr = { .kind = HATCH_CSR, .length = 4 };
		struct hatch_event illegal = { .kind = HATCH_ILLEGAL, .length = 4 };

		csr.csr.rd = (uint8_t)rd;
		resume(&csr, 0xfedcba9876543210);
		if (rd)
			before.frame.x[rd] = 0xfedcba9876543210;
		expect_step(4);
		illegal.illegal.encoding = 0xfffff07f | rd << 7;
		resume(&illegal, 0x0123456789abcdef);
		if (rd)
			before.frame.x[rd] = 0x0123456789abcdef;
		expect_step(4);
	}
}

static void test_skip_and_retry(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < HATCH_KINDS; kind++) {
		for (unsigned int length = 2; length <= 4; length += 2) {
			struct hatch_event ev = { .kind = kind, .length = (uint8_t)length };

			ev.mmio.rd = 5;
			world.cont.verdict = HATCH_PASS;
			hatch_skip(&world.cont);
			apply(&ev);
			expect_step(length);
			world.cont.verdict = HATCH_PASS;
			hatch_retry(&world.cont);
			apply(&ev);
			expect_step(0);
		}
	}
}

/* ---- Exceptions ---- */

enum { SIE = 1, SPIE = 5, SPP = 8 };

static uint64_t with_bit(uint64_t value, unsigned int n, uint64_t bit)
{
	return (value & ~BIT(n)) | (bit & 1) << n;
}

/*
 * Privileged ISA 20240411, 10.1.1 and 18.6.2, a sentence each: the mode that the hart was in goes
 * to SPP, SIE goes to SPIE, SIE becomes 0; vsepc gets the pc, vscause the cause, vstval the value;
 * an exception enters at BASE in direct and in vectored mode alike; the hart is in VS-mode.
 */
static void test_exception(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		struct hatch_vs_csrs vs = { random_bits(), random_bits(), random_bits(),
					    random_bits(), random_bits(), random_bits(),
					    random_bits(), random_bits(), random_bits(),
					    random_bits(), random_bits() };
		struct hatch_frame frame = { .pc = random_bits() & ~1ULL,
					     .sstatus = random_bits() };
		struct hatch_frame expected_frame = frame;
		struct hatch_vs_csrs expected = vs;
		uint64_t cause = random_below(24), tval = random_number();

		expected.vsstatus = with_bit(expected.vsstatus, SPP, frame.sstatus >> SPP);
		expected.vsstatus = with_bit(expected.vsstatus, SPIE, vs.vsstatus >> SIE);
		expected.vsstatus = with_bit(expected.vsstatus, SIE, 0);
		expected.vsepc = frame.pc;
		expected.vscause = cause;
		expected.vstval = tval;
		expected_frame.pc = vs.vstvec - vs.vstvec % 4;
		expected_frame.sstatus = with_bit(frame.sstatus, SPP, 1);

		hatch_apply_exception(&frame, &vs, cause, tval);
		assert_memory_equal(&vs, &expected, sizeof(vs));
		assert_memory_equal(&frame, &expected_frame, sizeof(frame));
	}
}

/* ---- Reset ---- */

static void test_clear(void **state)
{
	(void)state;
	world.vcpu.hvip = 4;
	world.vcpu.fcsr = 9;
	world.vcpu.fp_live = true;
	world.vcpu.vs.vsatp = 1;
	world.vcpu.confine.hedeleg = 77;
	hatch_vcpu_clear(&world.vcpu, hatch_gpa_of(0x80200000), 3, 0x8f000000);
	hatch_vcpu_calm(&world.vcpu);
	for (unsigned int i = 0; i < 32; i++) {
		assert_int_equal(world.vcpu.frame.x[i], i == 10 ? 3 : i == 11 ? 0x8f000000 : 0);
		assert_int_equal(world.vcpu.fp[i], 0);
	}
	assert_int_equal(world.vcpu.frame.pc, 0x80200000);
	assert_int_equal(world.vcpu.frame.sstatus >> SPP & 1, 1); /* it begins in VS-mode */
	assert_int_equal(world.vcpu.hart_id, 3);
	assert_int_equal(world.vcpu.hvip, 0);
	assert_int_equal(world.vcpu.fcsr, 0);
	assert_int_equal(world.vcpu.vs.vsatp, 0);
	assert_int_equal(world.vcpu.vs.vstimecmp, UINT64_MAX);
	assert_int_equal(world.vcpu.vs.vsstatus >> SIE & 1, 0);
	assert_false(world.vcpu.fp_live);
	assert_true(world.vcpu.full);
	assert_ptr_equal(world.vcpu.guest, &world.guest);
	assert_int_equal(world.vcpu.confine.hedeleg, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_check, setup),
		cmocka_unit_test_setup(test_calls, setup),
		cmocka_unit_test_setup(test_pair_does_not_leak, setup),
		cmocka_unit_test_setup(test_load, setup),
		cmocka_unit_test_setup(test_load_fp, setup),
		cmocka_unit_test_setup(test_no_result, setup),
		cmocka_unit_test_setup(test_csr_and_illegal, setup),
		cmocka_unit_test_setup(test_skip_and_retry, setup),
		cmocka_unit_test_setup(test_exception, setup),
		cmocka_unit_test_setup(test_clear, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
