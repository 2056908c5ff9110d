/* SPDX-License-Identifier: MIT */
/* Four characters: one that never lets go, one that yields, one that naps, and one that fails. */
#include "guest.h"
#include "turn.h"

#define LIMIT	1000000	   /* primes below this are counted */
#define NOWHERE 0x10000000 /* guest-physical: neither RAM nor a device */

static void say(uint64_t number)
{
	hatch_guest_call(TURN_EID, TURN_SAY, number);
}

static bool is_prime(uint64_t number)
{
	for (uint64_t divisor = 2; divisor * divisor <= number; divisor++)
		if (number % divisor == 0)
			return false;
	return true;
}

static void count_primes(void)
{
	uint64_t primes = 0;

	for (uint64_t number = 2; number <= LIMIT; number++) {
		primes += is_prime(number);
		if (number % (LIMIT / 4) == 0)
			say(primes);
	}
}

static void be_polite(void)
{
	for (uint64_t number = 1; number <= 6; number++) {
		say(number);
		hatch_guest_call(TURN_EID, TURN_YIELD);
	}
}

static uint64_t now(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

static void take_naps(uint64_t ticks)
{
	for (uint64_t nap = 1; nap <= 3; nap++) {
		uint64_t until = now() + ticks;

		do
			__asm__ volatile("wfi"); /* nothing to do */
		while (now() < until);
		say(100 * nap);
	}
}

static void break_down(void)
{
	say(7);
	say(*(volatile uint32_t *)NOWHERE);
}

int main(enum turn_guest self, uint64_t nap)
{
	if (self == TURN_BUSY)
		count_primes();
	else if (self == TURN_POLITE)
		be_polite();
	else if (self == TURN_SLEEPY)
		take_naps(nap);
	else
		break_down();
	return 0;
}
