/* SPDX-License-Identifier: MIT */
/* Guests of random instructions. The same seed, which is printed, makes the same guest. */
#include "arena.h"

#define BATCHES 2000
#define WORDS	5     /* in each batch */
#define SPACE	0x100 /* bytes before the random words */

static struct arena arena;

/*
 * Its own code, and behind it the random words, in VU-mode if a7 is not 0. Steps over what traps;
 * a jump to where no code is and a call from VU-mode are the end.
 */
GUEST(stepper, "	la t0, 8f\n"
	       "	csrw stvec, t0\n"
	       "	li t0, 0x6000\n"
	       "	csrs sstatus, t0\n"
	       "	li t0, 0x80000100\n"
	       "	csrw sepc, t0\n"
	       "	bnez a7, 1f\n"
	       "	li t0, 0x100 # SPP: stay in VS-mode\n"
	       "	csrs sstatus, t0\n"
	       "1:	sret\n"
	       "	.balign 4\n"
	       "8:	csrr t0, scause\n"
	       "	li t1, 8\n"
	       "	beq t0, t1, 9f\n"
	       "	li t1, 12\n"
	       "	beq t0, t1, 9f\n"
	       "	li t1, 1\n"
	       "	beq t0, t1, 9f\n"
	       "	csrr t0, sepc\n"
	       "	lhu t1, 0(t0)\n"
	       "	andi t1, t1, 3\n"
	       "	addi t1, t1, -3\n"
	       "	addi t0, t0, 2\n"
	       "	bnez t1, 1f\n"
	       "	addi t0, t0, 2\n"
	       "1:	csrw sepc, t0\n"
	       "	sret\n"
	       "9:	quit\n");

/* Half of them are what a random word hardly ever is: loads, stores, atomics, system. */
static uint32_t random_instruction(void)
{
	static const uint32_t opcodes[] = { 0x03, 0x07, 0x23, 0x27, 0x2f, 0x73, 0x53, 0x0f };
	uint64_t n = check_random();

	if (n >> 63)
		return (uint32_t)n;
	return ((uint32_t)n & ~0x7fU) | opcodes[n >> 40 & 7];
}

static uint64_t random_register(void)
{
	return check_random() % 2 ? arena_bait() : WORLD_DATA + check_random() % 0x10000;
}

static void run_batch(uint64_t seed, bool user)
{
	static uint32_t words[WORDS + 5];

	check_seed(seed);
	for (size_t i = 0; i < WORDS; i++)
		words[i] = random_instruction();
	/* The end: quits; if that went wrong, the deadline. */
	words[WORDS] = 0x00000813;     /* li a6, 0 */
	words[WORDS + 1] = 0x084848b7; /* lui a7, 0x8484 */
	words[WORDS + 2] = 0x15488893; /* addi a7, a7, 0x154 */
	words[WORDS + 3] = 0x00000073; /* ecall */
	words[WORDS + 4] = 0x0000006f; /* j . */
	arena_again(&arena, 0, 0);
	world_write(&arena.w, WORLD_RAM + SPACE, words, sizeof(words));
	for (unsigned int n = 1; n < 32; n++)
		*arena_x(&arena, n) = random_register();
	*arena_x(&arena, 17) = user;
	arena_run(&arena, ARENA_SHORT);
}

static void random_instructions(bool user, uint64_t seed)
{
	arena_of(&arena, stepper);
	check_say("seeds %llu to %llu, %u words each", (unsigned long long)seed,
		  (unsigned long long)seed + BATCHES - 1, WORDS);
	for (uint64_t i = 0; i < BATCHES; i++) {
		unsigned int wrong = arena.tally.wrong;

		run_batch(seed + i, user);
		if (arena.tally.wrong != wrong)
			check_say("seed %llu is wrong", (unsigned long long)(seed + i));
	}
	arena_end(&arena);
}

static void random_instructions_in_vs_mode(void)
{
	random_instructions(false, 10000);
}

static void random_instructions_in_vu_mode(void)
{
	random_instructions(true, 50000);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(random_instructions_in_vs_mode),
		CHECK(random_instructions_in_vu_mode),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
