/* SPDX-License-Identifier: MIT */
/*
 * What a guest and its host have agreed on: numbers only. Guests include this header and nothing
 * else of Hatch; hosts may include it too.
 *
 * A guest calls with `ecall`: extension in a7, function in a6, arguments in a0 to a5; the answer
 * comes back in a0 and a1 (SBI v2.0, chapter 3). Hatch's extension ids are in the range that the
 * SBI specification leaves for experiments, 0x08000000 to 0x08ffffff (chapter 16).
 */
#ifndef HATCH_ABI_H
#define HATCH_ABI_H

/* Where the guests of the demos have their RAM and begin to run, guest-physical. */
#define HATCH_GUEST_RAM 0x80000000

/* Hatch's own extension. */
#define HATCH_EID	0x08484154

/* Functions of HATCH_EID. */
enum hatch_call {
	HATCH_EXIT = 0, /* a0: status. The program has ended; the call does not return. */
};

/* The extension of the demos. */
#define HATCH_DEMO_EID 0x08444d4f

/* Functions of HATCH_DEMO_EID. */
enum hatch_demo_call {
	HATCH_DEMO_NEXT = 0,   /* a0: number -> a0: the number after it */
	HATCH_DEMO_SHOW = 1,   /* a0: number. The host prints it. */
	HATCH_DEMO_ADD = 2,    /* a0, a1: numbers -> a0: their sum */
	HATCH_DEMO_DIVIDE = 3, /* a0, a1: numbers -> a0: 0 or -1 (division by zero), a1: quotient */
	HATCH_DEMO_RISKY = 4,  /* a0: number -> a0: what the host makes of it */
};

#endif
