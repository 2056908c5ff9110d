/* SPDX-License-Identifier: MIT */
/*
 * Where malicious guests are let loose: a guest on the whole stock machine, under a deadline that
 * the host's timer enforces.
 */
#ifndef TEST_ARENA_H
#define TEST_ARENA_H

#include <hatch/handlers/machine.h>

#include "world.h"

#define ARENA_LATE  (-2000)	    /* status of a try that the deadline ended */
#define ARENA_SHORT UINT64_C(10000) /* ticks: 1 ms, for guests that may never end */
#define ARENA_LONG  UINT64_C(20000000)

/* How the runs of a check ended, for the line that says what happened. */
struct arena_tally {
	unsigned int quit;  /* the guest ended itself by `quit` */
	unsigned int reset; /* the machine was switched off or restarted */
	unsigned int late;  /* the deadline ended it */
	unsigned int wrong; /* uncaught or failed: never allowed here */
};

struct arena {
	struct world w;
	struct hatch_machine machine;
	struct hatch_sbi_hart hart;
	const uint8_t *code, *code_end;
	struct hatch_scope guard; /* innermost */
	struct hatch_catch on_quit, on_deadline;
	uint64_t deadline; /* host ticks */
	uint64_t alarm;	   /* what the guest asked the machine's timer for, host ticks */
	bool quit;
	uint64_t console_bytes;
	uint64_t console_last; /* the last eight bytes written */
	struct arena_tally tally;
};

/* A guest with this code; arena_again must follow. */
void arena_begin(struct arena *a, const uint8_t *code, const uint8_t *end);
#define arena_of(a, name) arena_begin(a, name, name##_end)

/* Prints what happened to all runs since arena_begin, and takes the guest apart. */
void arena_end(struct arena *a);

/* A machine after reset and a vcpu at the start of the code, which is written anew. */
void arena_again(struct arena *a, uint64_t a0, uint64_t a1);

/*
 * Runs for at most `ticks`. Any outcome but done and unwound fails the check: on this machine
 * every event has its clause.
 */
void arena_run(struct arena *a, uint64_t ticks);

/* Register `n` of the guest, before or after a run. */
static inline uint64_t *arena_x(struct arena *a, unsigned int n)
{
	return &a->w.vcpu.frame.x[n];
}

/* An address or number that a malicious guest would pass. */
uint64_t arena_bait(void);

/*
 * Assembly: `on_trap_skip` makes the guest step over whatever traps (in t0 to t2); `on_trap_quit`
 * makes it end with scause as its status. Both are used once at the start.
 */
__asm__("	.macro on_trap_quit\n"
	"	la t0, 8001f\n"
	"	csrw stvec, t0\n"
	"	j 8002f\n"
	"	.balign 4\n"
	"8001:	csrr a0, scause\n"
	"	quit\n"
	"8002:\n"
	"	.endm\n"
	"	.macro on_trap_skip\n"
	"	la t0, 8001f\n"
	"	csrw stvec, t0\n"
	"	j 8003f\n"
	"	.balign 4\n"
	"8001:	csrr t0, sepc\n"
	"	lhu t1, 0(t0)\n"
	"	andi t1, t1, 3\n"
	"	addi t1, t1, -3\n"
	"	addi t0, t0, 2\n"
	"	bnez t1, 8002f\n"
	"	addi t0, t0, 2\n"
	"8002:	csrw sepc, t0\n"
	"	sret\n"
	"8003:\n"
	"	.endm\n");

#endif
