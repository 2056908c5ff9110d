/* SPDX-License-Identifier: MIT */
/*
 * What the guest and its host have agreed on: where the progress can be read, without a call.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdint.h>

#define PROGRESS_AT 0x80080000 /* guest-physical, in RAM, behind the program */
#define LIMIT	    1000000    /* primes below this are counted */

struct progress {
	uint64_t number; /* the one that is looked at */
	uint64_t primes; /* found below it */
};

/* What the guest shall do: its a0. */
enum task {
	TASK_PRIMES,
	TASK_ENDLESS,
};

#endif
