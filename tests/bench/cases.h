/* SPDX-License-Identifier: MIT */
/* What the bench's host and its guest agree on. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include <hatch/abi.h>

#define BENCH_EID    0x08424e43 /* answered by the clause under test */
#define BENCH_REPORT 0x08424e44 /* a0: the least, a1: the most instructions of a round */

#define BENCH_DEVICE 0x10000000 /* a device of one page */
#define BENCH_LAZY   0x90000000 /* RAM whose pages come on demand */
#define BENCH_LARGE  0xc0000000 /* 64 MiB of RAM in large leaves */

#define BENCH_ROUNDS 64 /* measured; as many before, so that everything is warm */

/* What the guest does in a round; handed to it in a1. */
enum bench_guest {
	BENCH_NOTHING,
	BENCH_HYPERCALL,
	BENCH_LOAD,
	BENCH_STORE,
	BENCH_LOAD_S, /* into a register that the short road does not store */
	BENCH_ILLEGAL,
	BENCH_PAGE,
	BENCH_SBI_TIMER,
	BENCH_STIMECMP,
	BENCH_CONSOLE,
	BENCH_DIRTY, /* stores into as many pages of BENCH_LARGE as a0 says, then asks BENCH_EID */
	BENCH_SPIN,  /* loops for ever, a0 the count of its instructions */
	BENCH_IPI_SELF,
	BENCH_FENCE_SELF, /* a remote fence of which no other hart is told */
	BENCH_IPI_SEND,	  /* to another hart: the call alone */
	BENCH_YIELD,	  /* to the other and back again: halved */
	BENCH_YIELDS,	  /* the other: for longer than the first one, then it ends */
	BENCH_IPI_OTHER,  /* from that call to the other hart's trap handler */
};

#endif
