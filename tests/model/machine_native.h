/* SPDX-License-Identifier: MIT */
/*
 * A hart in C, and memory: what enter.S and the hardware do for try.c and fast.c. The callee-saved
 * registers are not in the frame on the short road, the vs* CSRs of a vcpu that is loaded are in
 * the hardware, and a store to a page without the right to write traps.
 */
#ifndef MODEL_MACHINE_NATIVE_H
#define MODEL_MACHINE_NATIVE_H

#include "../../src/core/apply.h"
#include "../../src/core/fast.h"
#include "../../src/core/hart.h"
#include "../../src/core/offsets.h"
#include "play.h"

/*
 * The guest's code for an event is 64 bytes: at 0 it gives its registers known values, at 4 is
 * the instruction, behind that it notes what it finds, at 32 is its trap vector.
 */
enum { STRIDE = 64, AT_INSTRUCTION = 4, AT_VECTOR = 32, GUEST_STRIDE = 1024 };

struct native_hart {
	struct hatch_hart hart;
	struct hatch_trap trap;
	uint64_t x[32]; /* the hardware's registers */
	struct hatch_vs_csrs vs;
	const struct plan *plan;
	size_t bytes;		 /* of memory handed out */
	uint64_t time, deadline; /* ticks */
	unsigned int spurious;
	int wrong;		       /* the line of the first thing that was wrong */
	uint64_t fault;		       /* where the last store trapped */
	const struct hatch_vcpu *door; /* whose sstatus and hstatus the hardware has */
};

extern struct native_hart hw;

#define CHECK(good)                                                                                \
	do {                                                                                       \
		if (!(good) && !hw.wrong)                                                          \
			hw.wrong = __LINE__;                                                       \
	} while (0)

/* Where the guest's code begins. */
uint64_t native_base(int index);

/* False: the page may not be written to. */
bool native_store(struct hatch_guest *guest, hatch_gpa at, const void *from, size_t size);

#endif
