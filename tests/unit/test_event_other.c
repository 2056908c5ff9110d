/* SPDX-License-Identifier: MIT */
/*
 * Events that are no memory access of the guest's own, and traps with any values at all.
 */
#include "support.h"

static struct world world;
static struct hatch_event ev;

static int setup(void **state)
{
	(void)state;
	world_init(&world);
	return 0;
}

static void decode(struct hatch_trap trap, uint32_t fetched)
{
	memset(&ev, 0xa5, sizeof(ev));
	hatch_event_decode(&ev, &trap, &world.vcpu, fetched);
}

static bool needs_fetch(struct hatch_trap trap)
{
	return hatch_event_needs_fetch(&trap, &world.vcpu);
}

/* ---- Interrupts and faults ---- */

static void test_interrupts(void **state)
{
	static const unsigned int irqs[] = { 1, 5, 9, 12, 63 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(irqs); i++) {
		struct hatch_trap trap = { .scause = BIT(63) | irqs[i], .stval = 7, .htinst = 7 };

		assert_false(needs_fetch(trap));
		decode(trap, 0x13);
		assert_int_equal(ev.kind, HATCH_INTERRUPT);
		assert_int_equal(ev.interrupt.irq, irqs[i]);
		assert_int_equal(ev.length, 0);
		assert_int_equal(hatch_event_key(&ev), irqs[i]);
	}
}

static void expect_fault(uint64_t cause, unsigned int length)
{
	assert_int_equal(ev.kind, HATCH_FAULT);
	assert_int_equal(ev.fault.cause, cause);
	assert_int_equal(ev.fault.tval, 0x1234);
	assert_int_equal(ev.fault.gpa.addr, 0);
	assert_int_equal(ev.length, length);
}

static void test_faults(void **state)
{
	/* with a kind of their own, or tested with the guest-page faults */
	static const uint64_t others = BIT(2) | BIT(3) | BIT(8) | BIT(10) | BIT(20) | BIT(21) |
				       BIT(22) | BIT(23);

	(void)state;
	for (uint64_t cause = 0; cause < 64; cause++) {
		bool fetch = cause == 0 || cause == 1 || cause == 12;
		struct hatch_trap trap = { .scause = cause, .stval = 0x1234 };

		if (others >> cause & 1)
			continue;
		assert_int_equal(needs_fetch(trap), !fetch);
		decode(trap, 0);
		expect_fault(cause, 0);
		assert_int_equal(hatch_event_key(&ev), cause);
		decode(trap, 0x13);
		if (fetch) {
			expect_fault(cause, 0);
			continue;
		}
		expect_fault(cause, 4);
		decode(trap, 0x4188);
		expect_fault(cause, 2);
		trap.htinst = 0x2503; /* lw a0, transformed: nothing has to be fetched */
		assert_false(needs_fetch(trap));
		decode(trap, 0);
		expect_fault(cause, 4);
		trap.htinst = 0x2501; /* the same, compressed */
		decode(trap, 0);
		expect_fault(cause, 2);
	}
}

static void test_breakpoint(void **state)
{
	struct hatch_trap trap = { .scause = 3, .stval = RAM_BASE };

	(void)state;
	assert_true(needs_fetch(trap));
	decode(trap, 0x00100073);
	assert_int_equal(ev.kind, HATCH_BREAKPOINT);
	assert_int_equal(ev.length, 4);
	decode(trap, 0x9002); /* c.ebreak */
	assert_int_equal(ev.kind, HATCH_BREAKPOINT);
	assert_int_equal(ev.length, 2);
	decode(trap, 0);
	assert_int_equal(ev.kind, HATCH_BREAKPOINT);
	assert_int_equal(ev.length, 0);
}

/* ---- Illegal and virtual instructions: the encoding is in stval, or fetched ---- */

static void test_illegal(void **state)
{
	static const struct {
		uint32_t encoding;
		unsigned int length;
	} cases[] = { { 0x0000000b, 4 }, { 0xffffffff, 0 }, { 0x6002, 2 }, { 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned int fetch = 0; fetch < 2; fetch++) {
			struct hatch_trap trap = { .scause = 2,
						   .stval = fetch ? 0 : cases[i].encoding };

			assert_int_equal(needs_fetch(trap), trap.stval == 0);
			decode(trap, fetch ? cases[i].encoding : 0);
			assert_int_equal(ev.kind, HATCH_ILLEGAL);
			assert_int_equal(ev.illegal.encoding, cases[i].encoding);
			assert_int_equal(ev.length, cases[i].length);
			assert_int_equal(hatch_event_key(&ev), cases[i].encoding);
		}
	}
}

static void test_wfi(void **state)
{
	(void)state;
	for (unsigned int fetch = 0; fetch < 2; fetch++) {
		struct hatch_trap trap = { .scause = 22, .stval = fetch ? 0 : 0x10500073 };

		assert_int_equal(needs_fetch(trap), fetch);
		decode(trap, fetch ? 0x10500073 : 0);
		assert_int_equal(ev.kind, HATCH_WFI);
		assert_int_equal(ev.length, 4);
		assert_false(ev.wfi.store);
		trap.stval = fetch ? 0 : 0x00d00073; /* wrs.nto */
		decode(trap, fetch ? 0x00d00073 : 0);
		assert_int_equal(ev.kind, HATCH_WFI);
		assert_int_equal(ev.length, 4);
		assert_true(ev.wfi.store);
	}
}

/* Virtual instructions that are neither: hfence.gvma, sret, and one that could not be read. */
static void test_virtual_instruction(void **state)
{
	static const uint32_t encodings[] = { 0x62000073, 0x10200073 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(encodings); i++) {
		decode((struct hatch_trap){ .scause = 22, .stval = encodings[i] }, 0);
		assert_int_equal(ev.kind, HATCH_FAULT);
		assert_int_equal(ev.fault.cause, 22);
		assert_int_equal(ev.fault.tval, encodings[i]);
		assert_int_equal(ev.length, 4);
	}
	decode((struct hatch_trap){ .scause = 22 }, 0);
	assert_int_equal(ev.kind, HATCH_FAULT);
	assert_int_equal(ev.length, 0);
}

/* Unprivileged ISA, 6.1: which of the six forms read, which write, and what. */
static void test_csr(void **state)
{
	enum { RW = 1, RS = 2, RC = 3, IMMEDIATE = 4 };
	static const struct {
		unsigned int funct3, rd, rs1;
		bool read, write;
	} cases[] = {
		{ RW, 5, 6, true, true },
		{ RW, 0, 6, false, true },
		{ RW, 5, 0, true, true },
		{ RS, 5, 6, true, true },
		{ RS, 5, 0, true, false },
		{ RS, 0, 0, true, false },
		{ RC, 5, 6, true, true },
		{ RC, 5, 0, true, false },
		{ RW | IMMEDIATE, 5, 3, true, true },
		{ RW | IMMEDIATE, 0, 0, false, true },
		{ RS | IMMEDIATE, 5, 0, true, false },
		{ RS | IMMEDIATE, 5, 31, true, true },
		{ RC | IMMEDIATE, 5, 0, true, false },
		{ RC | IMMEDIATE, 0, 1, true, true },
	};

	(void)state;
	world.vcpu.frame.x[6] = 0; /* a register that holds 0 still counts as a write */
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t insn = 0xc01U << 20 | cases[i].rs1 << 15 | cases[i].funct3 << 12 |
				cases[i].rd << 7 | 0x73;
		bool immediate = cases[i].funct3 & IMMEDIATE;

		decode((struct hatch_trap){ .scause = 22, .stval = insn }, 0);
		assert_int_equal(ev.kind, HATCH_CSR);
		assert_int_equal(ev.length, 4);
		assert_int_equal(ev.csr.number, 0xc01);
		assert_int_equal(ev.csr.op, cases[i].funct3 & 3);
		assert_int_equal(ev.csr.rd, cases[i].rd);
		assert_int_equal(ev.csr.read, cases[i].read);
		assert_int_equal(ev.csr.write, cases[i].write);
		assert_int_equal(ev.csr.operand,
				 immediate ? cases[i].rs1 : world.vcpu.frame.x[cases[i].rs1]);
		assert_int_equal(hatch_event_key(&ev), 0xc01);
	}
}

/* ---- Any values ---- */

static void check_mmio(void)
{
	assert_true(ev.length == 2 || ev.length == 4);
	assert_true(ev.mmio.width && ev.mmio.width <= 8 && !(ev.mmio.width & (ev.mmio.width - 1)));
	assert_true(ev.mmio.rd < 32);
	assert_null(hatch_guest_region(&world.guest, ev.mmio.gpa));
	if (ev.mmio.write && ev.mmio.width < 8)
		assert_int_equal(ev.mmio.value >> 8 * ev.mmio.width, 0);
}

static void check_page(uint64_t cause)
{
	assert_non_null(hatch_guest_region(&world.guest, ev.page.gpa));
	assert_true(cause == 20 || cause == 21 || cause == 23);
	assert_true(ev.page.access <= HATCH_FETCH);
	if (ev.page.walk || ev.page.access == HATCH_FETCH)
		assert_int_equal(ev.length, 0);
}

static void check_other(const struct hatch_trap *trap)
{
	switch (ev.kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		assert_ptr_equal(ev.hypercall.arg, &world.vcpu.frame.x[10]);
		assert_int_equal(ev.length, 4);
		break;
	case HATCH_CSR:
		assert_true(ev.csr.number < 4096 && ev.csr.rd < 32 && ev.csr.op >= 1);
		assert_true(ev.csr.read || ev.csr.write);
		assert_int_equal(ev.length, 4);
		break;
	case HATCH_FAULT:
		assert_int_equal(ev.fault.cause, trap->scause);
		assert_int_equal(ev.fault.tval, trap->stval);
		break;
	case HATCH_INTERRUPT:
		assert_int_equal(ev.interrupt.irq, trap->scause & 63);
		assert_int_equal(ev.length, 0);
		break;
	default:
		assert_true(ev.kind == HATCH_ILLEGAL || ev.kind == HATCH_WFI ||
			    ev.kind == HATCH_BREAKPOINT);
	}
}

/* A line of any size stays within it, and is terminated. */
static void check_format(void)
{
	char line[100], full[100];
	size_t size = 1 + random_below(sizeof(line));

	memset(line, 0x7e, sizeof(line));
	assert_ptr_equal(hatch_event_format(&ev, line, size), line);
	assert_true(memchr(line, '\0', size) != NULL);
	for (size_t i = size; i < sizeof(line); i++)
		assert_int_equal(line[i], 0x7e);
	hatch_event_format(&ev, full, sizeof(full));
	assert_memory_equal(line, full, strlen(line));
	assert_true(strlen(full) > 0);
	assert_null(strchr(full, '\n'));
}

static void check(const struct hatch_trap *trap)
{
	assert_true(ev.length == 0 || ev.length == 2 || ev.length == 4);
	if (ev.kind == HATCH_MMIO)
		check_mmio();
	else if (ev.kind == HATCH_PAGE)
		check_page(trap->scause);
	else
		check_other(trap);
	check_format();
}

static uint64_t random_htinst(void)
{
	static const uint64_t htinsts[] = { 0, 0, 0x2000, 0x3020, 0x2503, 0x2501, 0xa3023 };

	return random_below(3) ? htinsts[random_below(COUNT_OF(htinsts))] : random_number();
}

static void test_any_trap(void **state)
{
	unsigned int seen[HATCH_KINDS] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 500000; i++) {
		struct hatch_trap trap = { .scause = random_below(25),
					   .stval = random_number(),
					   .htval = random_number(),
					   .htinst = random_htinst() };
		struct world before;

		if (!random_below(16))
			trap.scause = random_number() | (random_below(2) ? BIT(63) : 0);
		if (!random_below(3))
			trap.htval = (RAM_BASE + random_below(2 * RAM_SIZE)) >> 2;
		if (random_below(3))
			trap.stval = (trap.stval & ~UINT64_C(0xfff)) | (trap.htval << 2 & 0xfff);
		for (unsigned int n = 1; n < 32; n++)
			world.vcpu.frame.x[n] = random_below(2) ? trap.stval : random_number();
		before = world;
		needs_fetch(trap);
		decode(trap, (uint32_t)random_number());
		assert_memory_equal(&world, &before, sizeof(world));
		check(&trap);
		seen[ev.kind]++;
	}
	for (unsigned int kind = 0; kind < HATCH_KINDS; kind++)
		if (kind == HATCH_DEADLINE) /* the try's own: no trap tells */
			assert_int_equal(seen[kind], 0);
		else if (kind != HATCH_WFI && kind != HATCH_CSR) /* one encoding in many: above */
			assert_true(seen[kind] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_interrupts, setup),
		cmocka_unit_test_setup(test_faults, setup),
		cmocka_unit_test_setup(test_breakpoint, setup),
		cmocka_unit_test_setup(test_illegal, setup),
		cmocka_unit_test_setup(test_wfi, setup),
		cmocka_unit_test_setup(test_virtual_instruction, setup),
		cmocka_unit_test_setup(test_csr, setup),
		cmocka_unit_test_setup(test_any_trap, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
