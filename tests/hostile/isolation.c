/* SPDX-License-Identifier: MIT */
/* Guests that look for what is not theirs. */
#include "arena.h"

static struct arena arena;

/* Loads from a0 below a2, a3 apart; counts in s2 how often it finds a4, in s3 what traps not. */
GUEST(seeker, "	on_trap_skip\n"
	      "1:	mv a1, zero\n"
	      "	mv s4, zero\n"
	      "	ld a1, 0(a0)\n"
	      "	bne a1, a4, 2f\n"
	      "	addi s2, s2, 1\n"
	      "2:	sd zero, 0(a0)\n"
	      "	add a0, a0, a3\n"
	      "	bltu a0, a2, 1b\n"
	      "	li a0, 0\n"
	      "	quit\n");

static void seek(uint64_t first, uint64_t end, uint64_t step)
{
	arena_again(&arena, first, 0);
	*arena_x(&arena, 12) = end;
	*arena_x(&arena, 13) = step;
	*arena_x(&arena, 14) = CHECK_CANARY;
	arena_run(&arena, 10 * ARENA_LONG);
	expect_equal(*arena_x(&arena, 18), 0);
	expect_equal(*arena_x(&arena, 12), end);
}

/* It also stores zeros wherever it can: the canary must survive. */
static void host_memory_is_out_of_reach(void)
{
	const uint64_t canary = (uintptr_t)check_canary();

	arena_of(&arena, seeker);
	seek(WORLD_DATA, WORLD_RAM + WORLD_RAM_SIZE, 8);
	seek(WORLD_RAM + WORLD_RAM_SIZE, WORLD_RAM + WORLD_RAM_SIZE + 0x1000, 8);
	seek(canary, canary + 4096, 8);
	seek(canary + (UINT64_C(1) << 41), canary + (UINT64_C(1) << 41) + 64, 8);
	seek(0x80200000, 0x90000000, 0x8008);
	seek(0, UINT64_C(1) << 41, UINT64_C(1) << 29);
	arena_end(&arena);
}

/* Fills its RAM with the canary, from a0 below a1. */
GUEST(filler, "1:	sd a2, 0(a0)\n"
	      "	addi a0, a0, 8\n"
	      "	bltu a0, a1, 1b\n"
	      "	li a0, 0\n"
	      "	quit\n");

static void memory_of_a_dead_guest_is_cleared(void)
{
	for (unsigned int i = 0; i < 4; i++) {
		arena_of(&arena, filler);
		arena_again(&arena, WORLD_DATA, WORLD_RAM + WORLD_RAM_SIZE);
		*arena_x(&arena, 12) = CHECK_CANARY;
		arena_run(&arena, ARENA_LONG);
		expect(arena.quit);
		expect_equal(world_read(&arena.w, WORLD_DATA), CHECK_CANARY);
		arena_end(&arena);
		arena_of(&arena, seeker);
		seek(WORLD_DATA, WORLD_RAM + WORLD_RAM_SIZE, 8);
		arena_end(&arena);
	}
}

/* Two guests that live at the same time, at the same addresses. */
static void memory_of_a_live_guest_is_out_of_reach(void)
{
	static struct arena other;

	arena_of(&other, filler);
	arena_again(&other, WORLD_DATA, WORLD_RAM + WORLD_RAM_SIZE);
	*arena_x(&other, 12) = CHECK_CANARY;
	arena_run(&other, ARENA_LONG);
	arena_of(&arena, seeker);
	seek(WORLD_DATA, WORLD_RAM + WORLD_RAM_SIZE, 8);
	seek((uintptr_t)other.w.guest.region[0].host + 0x80000,
	     (uintptr_t)other.w.guest.region[0].host + 0x81000, 8);
	for (uint64_t at = WORLD_DATA; at < WORLD_RAM + WORLD_RAM_SIZE; at += 8)
		check_equal(world_read(&other.w, at), CHECK_CANARY, __LINE__, "the other's RAM");
	arena_end(&arena);
	arena_end(&other);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(host_memory_is_out_of_reach),
		CHECK(memory_of_a_dead_guest_is_cleared),
		CHECK(memory_of_a_live_guest_is_out_of_reach),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
