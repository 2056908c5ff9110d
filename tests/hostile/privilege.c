/* SPDX-License-Identifier: MIT */
/* Guests that try what only a hypervisor may, and page tables made to lead astray. */
#include "arena.h"

static struct arena arena;

/* The instruction at the slot, in VS-mode, or if a7 is not 0 in VU-mode. */
GUEST(one_instruction, "	on_trap_quit\n"
		       "	beqz a7, one_slot\n"
		       "	la t0, one_slot\n"
		       "	csrw sepc, t0\n"
		       "	sret\n"
		       "	.balign 4\n"
		       "one_slot:\n"
		       "	.word 0x13\n"
		       "	nop\n"
		       "	li a0, -1\n"
		       "	quit\n");
extern const uint8_t one_slot[];

static void begin(uint64_t seed)
{
	arena_of(&arena, one_instruction);
	check_seed(seed);
}

static void try_instruction(uint32_t encoding, bool user, uint64_t value, uint64_t ticks)
{
	const uint64_t slot = (uint64_t)(one_slot - one_instruction);

	arena_again(&arena, value, value);
	world_write(&arena.w, WORLD_RAM + slot, &encoding, sizeof(encoding));
	*arena_x(&arena, 17) = user;
	arena_run(&arena, ticks);
}

/* ---- CSRs --------------------------------------------------------------------------------- */

#define CSR_WRITE(csr)	   (0x00051073U | (uint32_t)(csr) << 20) /* csrw csr, a0 */
#define CSR_SWAP(csr)	   (0x000515f3U | (uint32_t)(csr) << 20) /* csrrw a1, csr, a0 */
#define CSR_READ(csr)	   (0x000025f3U | (uint32_t)(csr) << 20) /* csrr a1, csr */
#define CSR_SET(csr)	   (0x000525f3U | (uint32_t)(csr) << 20)
#define CSR_CLEAR(csr)	   (0x000535f3U | (uint32_t)(csr) << 20)
#define CSR_IMMEDIATE(csr) (0x000fd5f3U | (uint32_t)(csr) << 20) /* csrrwi a1, csr, 31 */

static void every_csr(bool user)
{
	for (unsigned int csr = 0; csr < 4096; csr++) {
		const uint32_t encodings[] = { CSR_READ(csr), CSR_WRITE(csr), CSR_SWAP(csr),
					       CSR_SET(csr),  CSR_CLEAR(csr), CSR_IMMEDIATE(csr) };

		for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
			try_instruction(encodings[i], user, check_random(), ARENA_SHORT);
	}
}

/* A CSR of a hypervisor or of the machine must look as if it did not exist. */
static void higher_csrs_are_illegal(void)
{
	begin(43);
	for (unsigned int csr = 0; csr < 4096; csr++) {
		unsigned int level = csr >> 8 & 3;

		if (level < 2)
			continue;
		try_instruction(CSR_READ(csr), false, 0, ARENA_LONG);
		check_that(arena.quit && arena.w.t.status == CAUSE_ILLEGAL_INSTRUCTION, __LINE__,
			   "reading CSR 0x%03x ended with cause %ld", csr, arena.w.t.status);
	}
	arena_end(&arena);
}

static void every_csr_in_vs_mode(void)
{
	begin(47);
	every_csr(false);
	arena_end(&arena);
}

static void every_csr_in_vu_mode(void)
{
	begin(53);
	every_csr(true);
	arena_end(&arena);
}

/* ---- instructions ------------------------------------------------------------------------- */

GUEST(privileged, "	.option arch, +h\n"
		  "	hfence.vvma\n"
		  "	hfence.gvma\n"
		  "	hfence.vvma a0, a1\n"
		  "	hfence.gvma a0, a1\n"
		  "	hlv.b a1, (a0)\n"
		  "	hlv.bu a1, (a0)\n"
		  "	hlv.h a1, (a0)\n"
		  "	hlv.hu a1, (a0)\n"
		  "	hlv.w a1, (a0)\n"
		  "	hlv.wu a1, (a0)\n"
		  "	hlv.d a1, (a0)\n"
		  "	hlvx.hu a1, (a0)\n"
		  "	hlvx.wu a1, (a0)\n"
		  "	hsv.b a1, (a0)\n"
		  "	hsv.h a1, (a0)\n"
		  "	hsv.w a1, (a0)\n"
		  "	hsv.d a1, (a0)\n"
		  "	mret\n"
		  "	.word 0x00200073 # uret\n"
		  "	.word 0x7b200073 # dret\n"
		  "	.word 0x70200073 # mnret\n"
		  "privileged_rest:\n"
		  "	sret\n"
		  "	sfence.vma\n"
		  "	sfence.vma a0, a1\n"
		  "	fence.i\n"
		  "	fence\n"
		  "	ecall\n"
		  "	.option norvc\n"
		  "	ebreak\n"
		  "	.word 0x16b50073 # sinval.vma\n"
		  "	.word 0x18000073 # sfence.w.inval\n"
		  "	.word 0x18100073 # sfence.inval.ir\n"
		  "	.word 0x26b50073 # hinval.vvma\n"
		  "	.word 0x66b50073 # hinval.gvma\n"
		  "	.word 0x0005200f # cbo.inval\n"
		  "	.word 0x0015200f # cbo.clean\n"
		  "	.word 0x0025200f # cbo.flush\n"
		  "	.word 0x0045200f # cbo.zero\n"
		  "	.word 0x00d00073 # wrs.nto\n"
		  "	.word 0x01d00073 # wrs.sto\n"
		  "	.word 0x02057557 # a vector instruction\n"
		  "	.word 0x0d007057 # vsetvli\n"
		  "	.word 0xffffffff\n"
		  "	.word 0x00000000\n");
extern const uint8_t privileged_rest[];

static void instructions_above_the_guest(void)
{
	begin(59);
	for (const uint8_t *i = privileged; i < privileged_end; i += 4)
		for (unsigned int n = 0; n < 32; n++) {
			uint32_t encoding;

			__builtin_memcpy(&encoding, i, sizeof(encoding));
			try_instruction(encoding, n % 2, arena_bait(),
					i < privileged_rest ? ARENA_LONG : ARENA_SHORT);
			if (i >= privileged_rest)
				continue;
			expect(arena.quit);
			check_that(arena.w.t.status == CAUSE_ILLEGAL_INSTRUCTION, __LINE__,
				   "0x%08x ended with cause %ld", (unsigned int)encoding,
				   arena.w.t.status);
			expect(*arena_x(&arena, 11) != CHECK_CANARY);
		}
	arena_end(&arena);
}

/* ---- page tables -------------------------------------------------------------------------- */

#define TABLE	     (WORLD_DATA + 0x10000)
#define TABLES	     UINT64_C(0x40000000) /* virtual: entry 1 of the root leads astray */
#define SV39	     (UINT64_C(8) << 60)

/* Of the PLIC's enable bits the guest can make an entry of a table as it likes, below 4 GiB. */
#define WINDOW	     (HATCH_MACHINE_PLIC + 0x2000)
#define WINDOW_ENTRY 1

/*
 * a0: satp, a1: an address to load from, store to and jump to, a2: the entry in the window. Ends with
 * the causes or-ed.
 */
GUEST(wanderer, "	li t0, 0x0c002000\n"
		"	sw a2, 8(t0)\n"
		"	la t0, 8f\n"
		"	csrw stvec, t0\n"
		"	csrw satp, a0\n"
		"	sfence.vma\n"
		"	li s0, 0\n"
		"	la s1, 1f\n"
		"	ld t1, 0(a1)\n"
		"	j 1f\n"
		"	.balign 4\n"
		"1:	la s1, 2f\n"
		"	sd t1, 0(a1)\n"
		"	j 2f\n"
		"	.balign 4\n"
		"2:	la s1, 3f\n"
		"	jr a1\n"
		"	.balign 4\n"
		"3:	mv a0, s0\n"
		"	quit\n"
		"	.balign 4\n"
		"8:	csrr t0, scause\n"
		"	li t1, 1\n"
		"	sll t1, t1, t0\n"
		"	or s0, s0, t1\n"
		"	csrw sepc, s1\n"
		"	sret\n");

static void random_satp(void)
{
	arena_of(&arena, wanderer);
	check_seed(61);
	for (unsigned int i = 0; i < 200; i++) {
		uint64_t ppn = (i % 2 ? arena_bait() : check_random()) >> 12;

		arena_again(&arena, (uint64_t)(i % 16) << 60 | (ppn & ((UINT64_C(1) << 44) - 1)),
			    arena_bait());
		arena_run(&arena, ARENA_SHORT);
	}
	arena_end(&arena);
}

#define PTE(address, flags) ((address) >> 12 << 10 | (flags))
#define PTE_TABLE	    1
#define PTE_ALL		    0xcf

/* A root that keeps the code where it is, with `astray` for the rest. */
static void write_root(uint64_t astray)
{
	for (uint64_t i = 0; i < 512; i++)
		world_write(&arena.w, TABLE + 8 * i, &astray, 8);
	world_write(&arena.w, TABLE + 8 * 2, &(uint64_t){ PTE(WORLD_RAM, PTE_ALL) }, 8);
}

static void wander(uint64_t address)
{
	arena_again(&arena, SV39 | TABLE >> 12, address);
	arena_run(&arena, ARENA_LONG);
	expect(arena.quit);
}

#define FAULTS(access)                                                                             \
	(access ? 1U << CAUSE_LOAD_ACCESS | 1U << CAUSE_STORE_ACCESS | 1U << CAUSE_FETCH_ACCESS    \
		: 1U << CAUSE_LOAD_PAGE_FAULT | 1U << CAUSE_STORE_PAGE_FAULT |                     \
			  1U << CAUSE_FETCH_PAGE_FAULT)

static void tables_where_no_memory_is(void)
{
	const uint64_t places[] = { 0,
				    HATCH_MACHINE_UART,
				    HATCH_MACHINE_PLIC,
				    HATCH_MACHINE_FINISHER,
				    WORLD_RAM + WORLD_RAM_SIZE,
				    0x80200000,
				    (uintptr_t)check_canary(),
				    UINT64_C(1) << 40,
				    UINT64_C(1) << 41,
				    UINT64_C(1) << 55 };

	arena_of(&arena, wanderer);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		write_root(PTE(places[i] & ~UINT64_C(4095), PTE_TABLE));
		for (uint64_t at = TABLES; at < TABLES + 0x1000; at += 0x7f8) {
			wander(at);
			/* QEMU 7.2 calls every fault of a walk a load's. */
			check_that(arena.w.t.status == FAULTS(true) ||
					   arena.w.t.status == 1 << CAUSE_LOAD_ACCESS,
				   __LINE__, "a table at 0x%llx gave the causes 0x%lx",
				   (unsigned long long)places[i], arena.w.t.status);
		}
	}
	arena_end(&arena);
}

static void leaves_where_no_memory_is(void)
{
	const uint64_t places[] = { 0, UINT64_C(1) << 30, UINT64_C(1) << 40, UINT64_C(1) << 41,
				    UINT64_C(1) << 55 };

	arena_of(&arena, wanderer);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		write_root(PTE(places[i], PTE_ALL));
		wander(TABLES);
		expect_equal(arena.w.t.status, FAULTS(true));
	}
	arena_end(&arena);
}

/* The table is its own next level: the walk ends in the root as data, never in the host. */
static void tables_that_contain_themselves(void)
{
	arena_of(&arena, wanderer);
	write_root(PTE(TABLE, PTE_TABLE));
	wander(TABLES);
	expect_equal(arena.w.t.status, FAULTS(false));
	write_root(PTE(TABLE, PTE_ALL)); /* a misaligned gigapage */
	wander(TABLES);
	expect_equal(arena.w.t.status, FAULTS(false));
	check_seed(67);
	for (unsigned int i = 0; i < 200; i++) {
		write_root(check_random());
		arena_again(&arena, SV39 | TABLE >> 12, check_random());
		arena_run(&arena, ARENA_SHORT);
	}
	arena_end(&arena);
}

/* The page is memory to read, and no more. */
static void a_window_itself(void)
{
	arena_of(&arena, wanderer);
	arena_again(&arena, 0, WINDOW);
	arena_run(&arena, ARENA_LONG);
	expect(arena.quit);
	expect_equal(arena.machine.plic.window[0].state, HATCH_WINDOW_OPEN);
	expect_equal(arena.w.t.status, 1 << CAUSE_STORE_ACCESS | 1 << CAUSE_FETCH_ACCESS);
	arena_end(&arena);
}

static void wander_through_window(uint64_t entry, uint64_t ticks)
{
	const uint64_t at = TABLES + ((uint64_t)WINDOW_ENTRY << 21);

	arena_again(&arena, SV39 | TABLE >> 12, at);
	*arena_x(&arena, 12) = entry;
	arena_run(&arena, ticks);
	if (!arena.quit) /* the deadline may come ahead of the store */
		return;
	expect_equal(arena.machine.plic.window[0].state, HATCH_WINDOW_OPEN);
	expect_equal(arena.machine.plic.context[0].enable[2], (uint32_t)entry);
}

/*
 * A walk reads the table that the guest has made there, and comes no further than the G-stage lets
 * it. Where the entry lacks A and D, the hardware would have to write to the page.
 */
static void tables_in_a_window(void)
{
	static const uint64_t places[] = { WORLD_RAM, 0x80200000, HATCH_MACHINE_UART, WINDOW };
	static const uint64_t flags[] = { PTE_ALL, 0xf, PTE_TABLE, 0x41, 0x43 };

	arena_of(&arena, wanderer);
	write_root(PTE(WINDOW, PTE_TABLE));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			wander_through_window(PTE(places[i], flags[j]), ARENA_SHORT);
	wander_through_window(PTE(0x80200000, PTE_TABLE), ARENA_LONG);
	expect(arena.quit && arena.w.t.status);
	check_seed(71);
	for (unsigned int i = 0; i < 200; i++)
		wander_through_window(check_random() & UINT32_MAX, ARENA_SHORT);
	arena_end(&arena);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(higher_csrs_are_illegal),
		CHECK(every_csr_in_vs_mode),
		CHECK(every_csr_in_vu_mode),
		CHECK(instructions_above_the_guest),
		CHECK(random_satp),
		CHECK(tables_where_no_memory_is),
		CHECK(leaves_where_no_memory_is),
		CHECK(tables_that_contain_themselves),
		CHECK(a_window_itself),
		CHECK(tables_in_a_window),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
