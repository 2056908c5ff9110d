/* SPDX-License-Identifier: MIT */
/* Counts primes with interrupts disabled and without a single call; or spins for ever. */
#include "guest.h"
#include "progress.h"

static volatile struct progress *const progress = (struct progress *)PROGRESS_AT;

static bool is_prime(uint64_t number)
{
	for (uint64_t divisor = 2; divisor * divisor <= number; divisor++)
		if (number % divisor == 0)
			return false;
	return true;
}

int main(enum task task)
{
	__asm__ volatile("csrci sstatus, 2\n" /* SIE: no interrupt may come ... */
			 "csrw sie, zero");   /* ... and none is enabled */
	if (task == TASK_ENDLESS)
		for (;;)
			__asm__ volatile("");
	for (progress->number = 2; progress->number < LIMIT; progress->number++)
		if (is_prime(progress->number))
			progress->primes++;
	return 0;
}
