/* SPDX-License-Identifier: MIT */
/*
 * From the registers of a trap to a typed event: every cause, and the three ways in which the
 * trapped instruction reaches us: transformed in htinst, fetched, or not at all.
 */
#include "support.h"

#define DEVICE 0x10000000ULL /* guest-physical, outside the world's RAM */

static struct world world;
static struct hatch_event ev;

static int setup(void **state)
{
	(void)state;
	world_init(&world);
	return 0;
}

static void decode(const struct hatch_trap *trap, uint32_t fetched)
{
	const struct world before = world;

	memset(&ev, 0xa5, sizeof(ev));
	hatch_event_decode(&ev, trap, &world.vcpu, fetched);
	assert_memory_equal(&world, &before, sizeof(world));
}

/* A guest-page fault of a data access at `gpa`, whose guest-virtual address is elsewhere. */
static struct hatch_trap page_fault(uint64_t cause, uint64_t gpa, uint64_t htinst)
{
	return (struct hatch_trap){ .scause = cause,
				    .stval = 0xffffffc000000000 | (gpa & 0xfff),
				    .htval = gpa >> 2,
				    .htinst = htinst };
}

/* ---- Instructions, put together by the book (Unprivileged ISA, 2.2 and 1.5) ---- */

enum { LOAD = 0x03, LOAD_FP = 0x07, STORE = 0x23, STORE_FP = 0x27, AMO = 0x2f, SYSTEM = 0x73 };

static uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, uint32_t imm)
{
	return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static uint32_t s_type(uint32_t opcode, uint32_t funct3, uint32_t rs1, uint32_t rs2)
{
	return rs2 << 20 | rs1 << 15 | funct3 << 12 | opcode;
}

/* The base register holds the address that faulted, so that what is fetched fits the trap. */
static uint32_t based(struct hatch_trap *trap, uint32_t insn, unsigned int rs1)
{
	world.vcpu.frame.x[rs1] = trap->stval;
	return insn;
}

/* ---- Calls ---- */

static void test_calls(void **state)
{
	static const struct {
		uint64_t cause;
		enum hatch_kind kind;
	} cases[] = { { 10, HATCH_HYPERCALL }, { 8, HATCH_SYSCALL } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_trap trap = { .scause = cases[i].cause };

		world.vcpu.frame.x[17] = 0x735049;
		world.vcpu.frame.x[16] = 0x123456789abc;
		decode(&trap, 0);
		assert_int_equal(ev.kind, cases[i].kind);
		assert_int_equal(ev.length, 4);
		assert_int_equal(ev.hypercall.extension, 0x735049);
		assert_int_equal(ev.hypercall.function, 0x123456789abc);
		assert_ptr_equal(ev.hypercall.arg, &world.vcpu.frame.x[10]);
		assert_int_equal(hatch_event_key(&ev), 0x735049);
		assert_false(hatch_event_needs_fetch(&trap, &world.vcpu));
	}
}

/* ---- Loads and stores outside all regions ---- */

static const struct {
	uint32_t opcode, funct3;
	uint8_t width;
	bool sign, fp;
} accesses[] = {
	{ LOAD, 0, 1, true, false },	 { LOAD, 1, 2, true, false },
	{ LOAD, 2, 4, true, false },	 { LOAD, 3, 8, true, false },
	{ LOAD, 4, 1, false, false },	 { LOAD, 5, 2, false, false },
	{ LOAD, 6, 4, false, false },	 { LOAD_FP, 2, 4, false, true },
	{ LOAD_FP, 3, 8, false, true },	 { STORE, 0, 1, false, false },
	{ STORE, 1, 2, false, false },	 { STORE, 2, 4, false, false },
	{ STORE, 3, 8, false, false },	 { STORE_FP, 2, 4, false, true },
	{ STORE_FP, 3, 8, false, true },
};

static void expect_access(size_t i, unsigned int reg, uint64_t gpa, unsigned int length)
{
	bool write = accesses[i].opcode == STORE || accesses[i].opcode == STORE_FP;
	uint64_t held = accesses[i].fp ? world.vcpu.fp[reg] : world.vcpu.frame.x[reg];
	uint64_t mask = accesses[i].width == 8 ? UINT64_MAX : BIT(8 * accesses[i].width) - 1;

	assert_int_equal(ev.kind, HATCH_MMIO);
	assert_int_equal(ev.length, length);
	assert_int_equal(ev.mmio.gpa.addr, gpa);
	assert_int_equal(ev.mmio.width, accesses[i].width);
	assert_int_equal(ev.mmio.write, write);
	assert_int_equal(ev.mmio.fp, accesses[i].fp);
	if (write) {
		assert_int_equal(ev.mmio.value, held & mask);
	} else {
		assert_int_equal(ev.mmio.rd, reg);
		if (!accesses[i].fp)
			assert_int_equal(ev.mmio.sign, accesses[i].sign);
	}
	assert_int_equal(hatch_event_key(&ev), gpa);
}

static uint64_t cause_of(size_t i)
{
	return accesses[i].opcode == STORE || accesses[i].opcode == STORE_FP ? 23 : 21;
}

static uint32_t encode(size_t i, unsigned int reg, unsigned int rs1)
{
	if (cause_of(i) == 23)
		return s_type(accesses[i].opcode, accesses[i].funct3, rs1, reg);
	return i_type(accesses[i].opcode, accesses[i].funct3, reg, rs1, 0);
}

/* 18.6.3: immediates and rs1 cleared, bit 1 cleared for a compressed one. */
static void test_transformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(accesses); i++) {
		for (unsigned int reg = 0; reg < 32; reg++) {
			uint64_t gpa = DEVICE + 8 * reg + (8 - accesses[i].width);
			uint32_t htinst = encode(i, reg, 0);
			struct hatch_trap trap = page_fault(cause_of(i), gpa, htinst);

			assert_false(hatch_event_needs_fetch(&trap, &world.vcpu));
			decode(&trap, 0);
			expect_access(i, reg, gpa, 4);
			trap.htinst &= ~(uint64_t)2;
			decode(&trap, 0);
			expect_access(i, reg, gpa, 2);
		}
	}
}

static void test_fetched(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(accesses); i++) {
		for (unsigned int reg = 0; reg < 32; reg++) {
			uint64_t gpa = DEVICE + 8 * reg;
			struct hatch_trap trap = page_fault(cause_of(i), gpa, 0);
			unsigned int rs1 = 1 + reg % 31;

			world_init(&world);
			assert_true(hatch_event_needs_fetch(&trap, &world.vcpu));
			decode(&trap, based(&trap, encode(i, reg, rs1), rs1));
			expect_access(i, reg, gpa, 4);
		}
	}
}

static void test_fetched_compressed(void **state)
{
	struct hatch_trap load = page_fault(21, DEVICE + 4, 0);
	struct hatch_trap store = page_fault(23, DEVICE + 8, 0);

	(void)state;
	decode(&load, based(&load, 0x4188, 11)); /* c.lw a0, 0(a1) */
	assert_int_equal(ev.kind, HATCH_MMIO);
	assert_int_equal(ev.length, 2);
	assert_int_equal(ev.mmio.width, 4);
	assert_int_equal(ev.mmio.rd, 10);
	assert_true(ev.mmio.sign);
	decode(&store, based(&store, 0xe188, 11)); /* c.sd a0, 0(a1) */
	assert_int_equal(ev.kind, HATCH_MMIO);
	assert_int_equal(ev.length, 2);
	assert_int_equal(ev.mmio.width, 8);
	assert_true(ev.mmio.write);
	assert_int_equal(ev.mmio.value, world.vcpu.frame.x[10]);
}

/* What one answer cannot complete is a fault, and says where. */
static void expect_fault(const struct hatch_trap *trap, uint32_t fetched, unsigned int length)
{
	decode(trap, fetched);
	assert_int_equal(ev.kind, HATCH_FAULT);
	assert_int_equal(ev.length, length);
	assert_int_equal(ev.fault.cause, trap->scause);
	assert_int_equal(ev.fault.tval, trap->stval);
	assert_int_equal(hatch_event_key(&ev), trap->scause);
}

static void test_undecodable(void **state)
{
	static const struct {
		uint32_t fetched;
		unsigned int length;
	} cases[] = {
		{ 0, 0 },		     /* could not be read */
		{ 0x0000052f | 2 << 12, 4 }, /* amoadd.w a0, zero, (zero) */
		{ 0x1000252f, 4 },	     /* lr.w a0, (zero) */
		{ 0x00000013, 4 },	     /* nop: the guest changed its code meanwhile */
		{ 0x00007003, 4 },	     /* a load with the reserved funct3 */
		{ 0x0001, 2 },		     /* c.nop */
		{ 0x0000001f, 0 },	     /* longer than 32 bits */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct hatch_trap trap = page_fault(21, DEVICE, 0);

		world.vcpu.frame.x[0] = 0;
		expect_fault(&trap, cases[i].fetched, cases[i].length);
		assert_int_equal(ev.fault.gpa.addr, DEVICE);
	}
}

/* A misaligned access of which only a later part faulted: half an answer would be wrong. */
static void test_misaligned(void **state)
{
	struct hatch_trap trap = page_fault(21, DEVICE, i_type(LOAD, 3, 10, 0, 0));
	struct hatch_trap zero = page_fault(21, DEVICE, 0);

	(void)state;
	trap.htinst |= 4 << 15; /* the address offset stands in the place of rs1 */
	expect_fault(&trap, 0, 4);
	world.vcpu.frame.x[11] = zero.stval - 4;
	expect_fault(&zero, i_type(LOAD, 3, 10, 11, 0), 4);
	decode(&zero, i_type(LOAD, 3, 10, 11, 4));
	assert_int_equal(ev.kind, HATCH_MMIO);
}

static void test_fetch_outside(void **state)
{
	struct hatch_trap trap = page_fault(20, DEVICE, 0);

	(void)state;
	assert_false(hatch_event_needs_fetch(&trap, &world.vcpu));
	expect_fault(&trap, 0, 0);
	assert_int_equal(ev.fault.gpa.addr, DEVICE);
}

/* ---- Pages of RAM ---- */

static void expect_page(uint64_t gpa, enum hatch_access access, bool walk, unsigned int length)
{
	assert_int_equal(ev.kind, HATCH_PAGE);
	assert_int_equal(ev.page.gpa.addr, gpa);
	assert_int_equal(ev.page.access, access);
	assert_int_equal(ev.page.walk, walk);
	assert_int_equal(ev.length, length);
	assert_int_equal(hatch_event_key(&ev), gpa);
}

static void test_page(void **state)
{
	static const struct {
		uint64_t cause;
		enum hatch_access access;
	} cases[] = { { 20, HATCH_FETCH }, { 21, HATCH_LOAD }, { 23, HATCH_STORE } };
	static const uint64_t at[] = { RAM_BASE, RAM_BASE + 0x2345, RAM_BASE + RAM_SIZE - 1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t j = 0; j < COUNT_OF(at); j++) {
			struct hatch_trap trap = page_fault(cases[i].cause, at[j], 0);
			bool fetch = cases[i].access == HATCH_FETCH;

			decode(&trap, 0);
			expect_page(at[j], cases[i].access, false, 0);
			assert_int_equal(ev.page.write, cases[i].access == HATCH_STORE);
			decode(&trap, fetch ? 0 : 0x4188);
			expect_page(at[j], cases[i].access, false, fetch ? 0 : 2);
		}
	}
}

/* Any instruction can touch a page for the first time, an AMO too. */
static void test_page_by_amo(void **state)
{
	struct hatch_trap trap = page_fault(23, RAM_BASE + 8, 2 << 12 | AMO);

	(void)state;
	decode(&trap, 0);
	expect_page(RAM_BASE + 8, HATCH_STORE, false, 4);
}

/* The borders of RAM: one byte before and one behind are devices. */
static void test_ram_borders(void **state)
{
	struct hatch_trap before = page_fault(21, RAM_BASE - 1, i_type(LOAD, 0, 10, 0, 0));
	struct hatch_trap behind = page_fault(21, RAM_BASE + RAM_SIZE, i_type(LOAD, 0, 10, 0, 0));

	(void)state;
	decode(&before, 0);
	assert_int_equal(ev.kind, HATCH_MMIO);
	assert_int_equal(ev.mmio.gpa.addr, RAM_BASE - 1);
	decode(&behind, 0);
	assert_int_equal(ev.kind, HATCH_MMIO);
}

/* ---- The guest's own page-table walk ---- */

static void test_walk_by_pseudoinstruction(void **state)
{
	static const struct {
		uint64_t htinst;
		bool write;
	} cases[] = { { 0x2000, false }, { 0x2020, true }, { 0x3000, false }, { 0x3020, true } };
	static const enum hatch_access access_of[] = { HATCH_FETCH, HATCH_LOAD, 0, HATCH_STORE };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (uint64_t cause = 20; cause <= 23; cause += cause == 21 ? 2 : 1) {
			struct hatch_trap trap =
				page_fault(cause, RAM_BASE + 0x108, cases[i].htinst);

			trap.stval = 0x4567; /* of the access, not of the entry */
			assert_false(hatch_event_needs_fetch(&trap, &world.vcpu));
			decode(&trap, 0x4188);
			expect_page(RAM_BASE + 0x108, access_of[cause - 20], true, 0);
			assert_int_equal(ev.page.write, cases[i].write);
			trap.htval = (DEVICE + 0x10) >> 2;
			expect_fault(&trap, 0x4188, 0);
			assert_int_equal(ev.fault.gpa.addr, DEVICE + 0x10);
		}
	}
}

/* htinst 0 does not tell; but an access and its translation agree below the page size. */
static void test_walk_without_htinst(void **state)
{
	struct hatch_trap trap = page_fault(23, RAM_BASE + 0x108, 0);

	(void)state;
	trap.stval = 0xffffffc000000123;
	decode(&trap, 0x4188);
	expect_page(RAM_BASE + 0x108, HATCH_STORE, true, 0);
	assert_false(ev.page.write);
	trap.htval = (DEVICE + 0x108) >> 2;
	expect_fault(&trap, 0x4188, 0);
	assert_int_equal(ev.fault.gpa.addr, DEVICE + 0x108);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_calls, setup),
		cmocka_unit_test_setup(test_transformed, setup),
		cmocka_unit_test_setup(test_fetched, setup),
		cmocka_unit_test_setup(test_fetched_compressed, setup),
		cmocka_unit_test_setup(test_undecodable, setup),
		cmocka_unit_test_setup(test_misaligned, setup),
		cmocka_unit_test_setup(test_fetch_outside, setup),
		cmocka_unit_test_setup(test_page, setup),
		cmocka_unit_test_setup(test_page_by_amo, setup),
		cmocka_unit_test_setup(test_ram_borders, setup),
		cmocka_unit_test_setup(test_walk_by_pseudoinstruction, setup),
		cmocka_unit_test_setup(test_walk_without_htinst, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
