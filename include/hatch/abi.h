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

/* The extension of unikernels: eight calls in place of devices (handlers/unikernel.h). */
#define HATCH_UNIKERNEL_EID 0x08554e49

/*
 * Functions of HATCH_UNIKERNEL_EID. In a0 comes back 0 or an error, in a1 the answer. Addresses are
 * guest-physical and need no alignment; sizes are bytes. A guest begins with a0: sectors of its
 * disk, a1: bytes of a sector (0: no disk), a2: its network address (0: no network).
 */
enum hatch_unikernel_call {
	HATCH_UNIKERNEL_WALLTIME = 0, /* -> a1: nanoseconds since 1970 */
	HATCH_UNIKERNEL_PUTS = 1,     /* a0: address, a1: size -> a1: written, perhaps fewer */
	HATCH_UNIKERNEL_POLL = 2,     /* a0: walltime -> a1: 1: a frame waits, 0: it is that late */
	HATCH_UNIKERNEL_BLOCK_READ = 3,	 /* a0: first sector, a1: address, a2: size */
	HATCH_UNIKERNEL_BLOCK_WRITE = 4, /* the same */
	HATCH_UNIKERNEL_NET_READ = 5,	 /* a0: address, a1: room -> a1: size of the frame */
	HATCH_UNIKERNEL_NET_WRITE = 6,	 /* a0: address, a1: size */
	HATCH_UNIKERNEL_HALT = 7,	 /* a0: status. The call does not return. */
};

enum hatch_unikernel_error {
	HATCH_UNIKERNEL_NODEVICE = -1, /* no such function, or no disk or network here */
	HATCH_UNIKERNEL_SIZE = -2,     /* no whole sectors, too much at once, too little room */
	HATCH_UNIKERNEL_RANGE = -3,    /* beyond the end of the disk */
	HATCH_UNIKERNEL_MEMORY = -4,   /* not RAM, or not with the right to do this */
	HATCH_UNIKERNEL_READONLY = -5, /* the disk is not to be written to */
	HATCH_UNIKERNEL_AGAIN = -6,    /* no frame waits, or nobody has room for this one */
};

#define HATCH_UNIKERNEL_TRANSFER  65536 /* bytes of one block call, at most */
#define HATCH_UNIKERNEL_FRAME_MIN 14	/* bytes of a frame: two addresses and a type ... */
#define HATCH_UNIKERNEL_FRAME_MAX 1514	/* ... and what it carries (IEEE 802.3) */

#endif
