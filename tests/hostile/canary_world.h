/* SPDX-License-Identifier: MIT */
/* What the guest that looks for canaries and its host have agreed on. */
#ifndef CANARY_WORLD_H
#define CANARY_WORLD_H

#include <stdint.h>

#include <hatch/abi.h>

#define CANARY_RAM	((uint64_t)HATCH_GUEST_RAM)
#define CANARY_RAM_SIZE UINT64_C(0x100000)
#define CANARY_RAM_END	(CANARY_RAM + CANARY_RAM_SIZE)
#define CANARY_ORDERS	(CANARY_RAM + 0xe0000)	  /* struct canary_orders */
#define CANARY_LOG	(CANARY_RAM + 0xf0000)	  /* struct canary_log */
#define CANARY_EDGE	(CANARY_RAM_END - 0x1000) /* for what ends, or goes on, where RAM does */

/* Ways to memory. Tries of those behind CANARY_REGISTERS are made by the host (canary_after.c). */
enum canary_path {
	CANARY_LOADS,	   /* of every width, translation off */
	CANARY_ATOMICS,	   /* AMOs, LR and SC */
	CANARY_FETCHES,	   /* of instructions */
	CANARY_HYPERVISOR, /* HLV, HLVX, HSV */
	CANARY_LEAVES,	   /* of the guest's own page tables, of every size */
	CANARY_WALKS,	   /* its page tables' next table is there */
	CANARY_ROOTS,	   /* its satp leads there */
	CANARY_CONSOLE,	   /* the SBI's debug console */
	CANARY_CALLS,	   /* other calls with addresses */
	CANARY_DISK,	   /* requests of virtio: written to a disk, and read back */
	CANARY_SERIAL,	   /* ... and to a console, whose bytes the runner looks at */
	CANARY_REGISTERS,  /* what the CPU holds when another guest has run */
	CANARY_FREED,	   /* RAM of a guest that has ended */
	CANARY_CLONES,	   /* of guests that shared it */
	CANARY_UNDONE,	   /* as it was ahead of a transaction */
	CANARY_LOADED,	   /* from a snapshot */
	CANARY_PATHS,
};

#define CANARY_BAITS 24

/* Host to guest. */
struct canary_orders {
	uint64_t seed, goal; /* goal: tries */
	uint64_t without;    /* a path that is not tried */
	uint64_t baits;
	struct {
		uint64_t address, size; /* host-physical: nothing of the guest's is there */
	} bait[CANARY_BAITS];
};

#define CANARY_REGISTER_WORDS 80
#define CANARY_LOG_BYTES      0x4000

/* Guest to host: a batch of tries of one path, and all that came of them. */
struct canary_log {
	uint64_t path, tries;
	uint64_t foreign;			   /* tries that got something where nothing is */
	uint64_t used;				   /* bytes */
	uint64_t registers[CANARY_REGISTER_WORDS]; /* behind the last report */
	uint8_t bytes[CANARY_LOG_BYTES];
};

#define CANARY_EID 0x08434e59

enum canary_call {
	CANARY_REPORT, /* the log is there to be read; another guest runs meanwhile */
	CANARY_ARM,    /* a0: where to go on, translation off, if there is no word soon */
	CANARY_DISARM,
};

/* The virtio devices, slots of the machine. */
enum canary_device { CANARY_DEVICE_DISK, CANARY_DEVICE_SERIAL, CANARY_DEVICES };

#define CANARY_SECTORS 2048

#endif
