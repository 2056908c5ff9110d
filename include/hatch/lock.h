/* SPDX-License-Identifier: MIT */
/*
 * A lock between harts. Host code runs with interrupts off, so a holder is never interrupted;
 * hold it for a bounded time, and never while a guest or somebody else's callback may run that
 * takes it again. Each lock stands at the struct that it guards, and says what of it.
 */
#ifndef HATCH_LOCK_H
#define HATCH_LOCK_H

#include <hatch/types.h>

/* All zero: free. */
struct hatch_lock {
	unsigned int held;
};

static inline void hatch_lock_acquire(struct hatch_lock *lock)
{
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
			;
}

static inline void hatch_lock_release(struct hatch_lock *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
