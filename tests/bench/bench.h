/* SPDX-License-Identifier: MIT */
/* What every case of the bench begins and ends with. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <hatch/board.h>
#include <hatch/hatch.h>

#include "cases.h"

/* The one guest that is measured at a time. */
struct bench {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	uint64_t least, most;
};
extern struct bench bench;

/* Ends the program when there is an error. */
void bench_need(int error, const char *what);

/* A guest with the measured program, its vcpu and a try that ends with it. */
void bench_begin(void);
/* Makes a guest, with the program in it. */
void bench_load(struct hatch_guest *guest);
void bench_add(struct hatch_scope *scope, struct hatch_catch clause);

/* Runs the guest, which measures itself, prints what it reported, and ends it. */
void bench_run(const char *name, enum bench_guest what);

/* The same in steps, for what the host measures. The count is of instructions, at any place. */
void bench_reset(uint64_t argument, enum bench_guest what);
void bench_note(uint64_t n);
void bench_print(const char *name);

static inline uint64_t bench_count(void)
{
	uint64_t n;

	__asm__ volatile("rdinstret %0" : "=r"(n)::"memory");
	return n;
}

/* values.c: captured continuations, clones, transactions, deadlines. */
void bench_values(void);

/* switch.c: from one vcpu to another. */
void bench_switch(void);
/* small.c: small guests, from their making to their end. */
void bench_small(void);

#endif
