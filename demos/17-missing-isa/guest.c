/* SPDX-License-Identifier: MIT */
/*
 * Ordinary C. The compiler was told that the CPU has Zba, Zbb and Zbs, and makes one instruction
 * of each of the three lines that rotate, count ones and count zeros.
 */
#include "guest.h"

#define ROUNDS 1000

static uint64_t state = 0x9e3779b97f4a7c15;

static __attribute__((noinline)) uint64_t rotate(uint64_t value, unsigned int by)
{
	return value << (by & 63) | value >> (-by & 63);
}

static __attribute__((noinline)) uint64_t count_ones(uint64_t value)
{
	return (uint64_t)__builtin_popcountll(value);
}

static __attribute__((noinline)) uint64_t leading_zeros(uint64_t value)
{
	return (uint64_t)__builtin_clzll(value);
}

int main(void)
{
	uint64_t ones = 0, zeros = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		state += rotate(state, i);
		if (i % 2 == 0)
			ones += count_ones(state);
		if (i % 4 == 0)
			zeros += leading_zeros(state | 1);
	}
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, state);
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, ones);
	hatch_guest_call(HATCH_DEMO_EID, HATCH_DEMO_SHOW, zeros);
	return 0;
}
