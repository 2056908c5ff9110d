/* SPDX-License-Identifier: MIT */
#include "device_bus.h"

#include <hatch/handlers/unmapped.h>

static struct hatch_catch clause;
static struct hatch_vcpu vcpu;

static int setup(void **state)
{
	(void)state;
	clause = hatch_unmapped_clause();
	return 0;
}

static void expect_inject(const struct hatch_event *ev, uint64_t cause, uint64_t tval)
{
	assert_int_equal(bus_ask(&clause, ev), HATCH_INJECT);
	assert_int_equal(bus_k.value, cause);
	assert_int_equal(bus_k.second, tval);
}

static void test_mmio(void **state)
{
	(void)state;
	for (unsigned int width = 1; width <= 8; width *= 2) {
		bus_expect_fault(&clause, 0x12345678, width, false);
		bus_expect_fault(&clause, UINT64_MAX, width, true);
	}
}

static void test_page(void **state)
{
	static const uint64_t cause[] = {
		[HATCH_LOAD] = CAUSE_LOAD_ACCESS,
		[HATCH_STORE] = CAUSE_STORE_ACCESS,
		[HATCH_FETCH] = CAUSE_FETCH_ACCESS,
	};
	struct hatch_event ev = { .kind = HATCH_PAGE };

	(void)state;
	for (int access = HATCH_LOAD; access <= HATCH_FETCH; access++) {
		ev.page.access = (enum hatch_access)access;
		for (int walk = 0; walk < 2; walk++) {
			ev.page.walk = walk;
			expect_inject(&ev, cause[access], BUS_TVAL);
		}
	}
}

/* What only a hypervisor knows reaches the guest as what it would see without one. */
static void test_fault(void **state)
{
	struct hatch_event ev = { .kind = HATCH_FAULT, .fault.tval = 77 };

	(void)state;
	for (uint64_t cause = 0; cause < 64; cause++) {
		uint64_t expected = cause;

		if (cause == CAUSE_FETCH_GUEST_PAGE_FAULT)
			expected = CAUSE_FETCH_ACCESS;
		if (cause == CAUSE_LOAD_GUEST_PAGE_FAULT)
			expected = CAUSE_LOAD_ACCESS;
		if (cause == CAUSE_STORE_GUEST_PAGE_FAULT)
			expected = CAUSE_STORE_ACCESS;
		if (cause == CAUSE_VIRTUAL_INSTRUCTION)
			expected = CAUSE_ILLEGAL_INSTRUCTION;
		ev.fault.cause = cause;
		expect_inject(&ev, expected, 77);
	}
}

static void test_instructions(void **state)
{
	struct hatch_event illegal = { .kind = HATCH_ILLEGAL, .illegal.encoding = 0xfeedc0df };
	struct hatch_event csr = { .kind = HATCH_CSR };
	struct hatch_event breakpoint = { .kind = HATCH_BREAKPOINT };
	struct hatch_event syscall = { .kind = HATCH_SYSCALL };

	(void)state;
	expect_inject(&illegal, CAUSE_ILLEGAL_INSTRUCTION, 0xfeedc0df);
	expect_inject(&csr, CAUSE_ILLEGAL_INSTRUCTION, BUS_TVAL);
	expect_inject(&breakpoint, CAUSE_BREAKPOINT, BUS_TVAL);
	expect_inject(&syscall, CAUSE_USER_ECALL, 0);
}

static enum hatch_verdict ask_wfi(uint64_t sstatus, bool store)
{
	struct hatch_event wfi = { .kind = HATCH_WFI, .length = 4, .wfi.store = store };

	vcpu.frame.sstatus = sstatus;
	bus_k = (struct hatch_cont){ .vcpu = &vcpu };
	return clause.handler(clause.arg, &wfi, &bus_k);
}

static void test_wfi(void **state)
{
	(void)state;
	assert_int_equal(ask_wfi(SSTATUS_SPP, false), HATCH_PASS);
	assert_int_equal(ask_wfi(SSTATUS_SPP, true), HATCH_PASS);
	assert_int_equal(ask_wfi(0, true), HATCH_PASS);
	assert_int_equal(ask_wfi(0, false), HATCH_INJECT);
	assert_int_equal(bus_k.value, CAUSE_ILLEGAL_INSTRUCTION);
	assert_int_equal(bus_k.second, 0x10500073);
}

static void test_passes(void **state)
{
	struct hatch_event hypercall = { .kind = HATCH_HYPERCALL };
	struct hatch_event interrupt = { .kind = HATCH_INTERRUPT };

	(void)state;
	assert_int_equal(bus_ask(&clause, &hypercall), HATCH_PASS);
	assert_int_equal(bus_ask(&clause, &interrupt), HATCH_PASS);
	assert_int_equal(clause.kind, HATCH_ANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_mmio, setup),
		cmocka_unit_test_setup(test_page, setup),
		cmocka_unit_test_setup(test_fault, setup),
		cmocka_unit_test_setup(test_instructions, setup),
		cmocka_unit_test_setup(test_wfi, setup),
		cmocka_unit_test_setup(test_passes, setup),
	};

	return cmocka_run_group_tests_name("unmapped", tests, NULL, NULL);
}
