/* SPDX-License-Identifier: MIT */
/* Guests that jump where nothing is, trap in their own trap vector, or never let go of the CPU. */
#include "arena.h"

static struct arena arena;

GUEST(jumper, "	on_trap_quit\n"
	      "	jr a0\n");

static void wild_jumps(void)
{
	static const uint64_t targets[] = {
		0,
		1,
		2,
		HATCH_MACHINE_FINISHER,
		HATCH_MACHINE_RTC,
		HATCH_MACHINE_PLIC,
		HATCH_MACHINE_UART,
		HATCH_MACHINE_UART + 1,
		WORLD_RAM - 2,
		WORLD_RAM + WORLD_RAM_SIZE,
		WORLD_RAM + WORLD_RAM_SIZE - 2,
		WORLD_RAM + WORLD_RAM_SIZE - 1,
		0x80200000,
		UINT64_C(1) << 38,
		UINT64_C(1) << 40,
		UINT64_C(1) << 41,
		UINT64_C(1) << 49,
		UINT64_C(1) << 55,
		UINT64_C(1) << 56,
		UINT64_C(1) << 63,
		UINT64_MAX,
		UINT64_MAX - 1,
	};

	arena_of(&arena, jumper);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		arena_again(&arena, targets[i], 0);
		arena_run(&arena, ARENA_LONG);
		expect(arena.quit);
		/* The end of RAM holds zeros: an illegal instruction. */
		check_that(arena.w.t.status == CAUSE_FETCH_ACCESS ||
				   arena.w.t.status == CAUSE_ILLEGAL_INSTRUCTION ||
				   arena.w.t.status == CAUSE_FETCH_PAGE_FAULT,
			   __LINE__, "a jump to 0x%llx ended with cause %ld",
			   (unsigned long long)targets[i], arena.w.t.status);
	}
	arena_end(&arena);
}

static void random_jumps(void)
{
	arena_of(&arena, jumper);
	check_seed(7);
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t target = check_random() >> check_random() % 64;

		arena_again(&arena, target, 0);
		if (target - WORLD_RAM < WORLD_RAM_SIZE) {
			arena_run(&arena, ARENA_SHORT); /* it may hit its own code: all is right */
			continue;
		}
		arena_run(&arena, ARENA_LONG);
		expect(arena.quit);
	}
	arena_end(&arena);
}

/* ---- trap vectors ------------------------------------------------------------------------- */

GUEST(bad_vector, "	csrw stvec, a0\n"
		  "	unimp\n");

static void vectors_that_trap(void)
{
	const uint64_t vectors[] = {
		0,
		2,
		WORLD_RAM + 4, /* the illegal instruction itself */
		WORLD_DATA,    /* zeros */
		HATCH_MACHINE_UART,
		HATCH_MACHINE_PLIC,
		WORLD_RAM + WORLD_RAM_SIZE,
		(uintptr_t)check_canary(),
		UINT64_C(1) << 63,
		UINT64_MAX - 3,
	};

	arena_of(&arena, bad_vector);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		for (unsigned int vectored = 0; vectored <= 1; vectored++) {
			arena_again(&arena, vectors[i] | vectored, 0);
			arena_run(&arena, 20 * ARENA_SHORT);
			expect_equal(arena.w.t.status, ARENA_LATE);
		}
	}
	arena_end(&arena);
}

/* Its handler stores to a device of an impossible width, which traps, and so on. */
GUEST(storing_vector, "	la t0, 1f\n"
		      "	csrw stvec, t0\n"
		      "	.balign 4\n"
		      "1:	li t1, 0x10000001\n"
		      "	sd t1, 0(t1)\n"
		      "	j 1b\n");

static void vector_that_stores_to_a_device(void)
{
	arena_of(&arena, storing_vector);
	arena_again(&arena, 0, 0);
	arena_run(&arena, 20 * ARENA_SHORT);
	expect_equal(arena.w.t.status, ARENA_LATE);
	arena_end(&arena);
}

/* ---- loops -------------------------------------------------------------------------------- */

GUEST(deaf_loop, "	csrw sie, zero\n"
		 "	csrci sstatus, 2\n"
		 "1:	j 1b\n");
GUEST(call_storm, "	li a7, 0x10\n"
		  "1:	li a6, 3\n"
		  "	ecall\n"
		  "	j 1b\n");
GUEST(wfi_storm, "1:	wfi\n"
		 "	j 1b\n");
/* Its own timer fires all the time, so that wfi never waits. */
GUEST(wfi_timer_storm, "	li t0, 0x20\n"
		       "	csrw sie, t0\n"
		       "1:	li a0, 0\n"
		       "	li a6, 0\n"
		       "	li a7, 0x54494d45\n"
		       "	ecall\n"
		       "	wfi\n"
		       "	j 1b\n");
/* Takes its own timer interrupt for ever, without ever clearing it. */
GUEST(interrupt_storm, "	la t0, 1f\n"
		       "	csrw stvec, t0\n"
		       "	li a0, 0\n"
		       "	li a6, 0\n"
		       "	li a7, 0x54494d45\n"
		       "	ecall\n"
		       "	li t0, 0x20\n"
		       "	csrw sie, t0\n"
		       "	csrsi sstatus, 2\n"
		       "2:	j 2b\n"
		       "	.balign 4\n"
		       "1:	sret\n");
/* Sends itself interrupts, and fences, as fast as it can. */
GUEST(ipi_storm, "	li t0, 2\n"
		 "	csrw sie, t0\n"
		 "1:	li a0, -1\n"
		 "	li a1, -1\n"
		 "	li a6, 0\n"
		 "	li a7, 0x735049\n"
		 "	ecall\n"
		 "	li a0, -1\n"
		 "	li a1, -1\n"
		 "	li a2, 0\n"
		 "	li a3, -1\n"
		 "	li a6, 1\n"
		 "	li a7, 0x52464e43\n"
		 "	ecall\n"
		 "	j 1b\n");

static void loop(const uint8_t *code, const uint8_t *end)
{
	arena_begin(&arena, code, end);
	arena_again(&arena, 0, 0);
	arena_run(&arena, 100 * ARENA_SHORT);
	expect_equal(arena.w.t.status, ARENA_LATE);
	arena_end(&arena);
}

static void loops_are_ended(void)
{
	loop(deaf_loop, deaf_loop_end);
	loop(call_storm, call_storm_end);
	loop(wfi_storm, wfi_storm_end);
	loop(wfi_timer_storm, wfi_timer_storm_end);
	loop(interrupt_storm, interrupt_storm_end);
	loop(ipi_storm, ipi_storm_end);
}

/* An unwound loop is a suspended guest: it can be let go on, and ended again. */
static void ended_loop_goes_on(void)
{
	arena_of(&arena, deaf_loop);
	arena_again(&arena, 0, 0);
	for (unsigned int i = 0; i < 10; i++) {
		arena_run(&arena, ARENA_SHORT);
		expect_equal(arena.w.t.status, ARENA_LATE);
		expect_equal(arena.w.t.outcome, HATCH_UNWOUND);
	}
	arena_end(&arena);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(wild_jumps),	  CHECK(random_jumps),
		CHECK(vectors_that_trap), CHECK(vector_that_stores_to_a_device),
		CHECK(loops_are_ended),	  CHECK(ended_loop_goes_on),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
