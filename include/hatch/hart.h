/* SPDX-License-Identifier: MIT */
/*
 * A hart of the real machine, as the framework sees it.
 */
#ifndef HATCH_HART_H
#define HATCH_HART_H

#include <hatch/event.h>

/*
 * Told of a trap of the host itself: a bug in the host program. `frame` holds all registers of
 * the moment. Must not return.
 */
typedef void hatch_host_trap_fn(const struct hatch_frame *frame, const struct hatch_trap *trap);

/*
 * Makes this hart ready to run tries. `id` is its number in the machine (mhartid), by which other
 * harts reach it through the firmware. Takes stvec and sscratch over, turns the guest's view of
 * the machine to a known state, finds out what the hart offers. `report` is told of traps of the
 * host itself; it outlives all tries. The thread pointer must be set up (the framework keeps
 * what belongs to a hart in thread-local storage).
 * Errors: HATCH_ENOTSUP (no hypervisor extension; nothing was changed).
 */
int hatch_hart_init(uint64_t id, hatch_host_trap_fn *report);

/*
 * Sets the host's alarm on this hart: from host time `ticks` on, every run of a guest here ends
 * in the event HATCH_INTERRUPT, IRQ_S_TIMER, until the alarm is set anew. HATCH_NEVER: off.
 * The framework owns the hart's timer, because tries have deadlines: set it here only.
 */
void hatch_hart_alarm(uint64_t ticks);

/* What the hart offers to guests, found by hatch_hart_init. */
struct hatch_hart_facts {
	enum hatch_gstage_mode gstage_mode;
	unsigned int vmid_bits;
	bool sstc;	  /* vstimecmp: the guest's timer needs no exit */
	uint64_t henvcfg; /* the bits that can be set */
	bool stateen;	  /* hstateen0 is there */
};

const struct hatch_hart_facts *hatch_hart_facts(void);

#endif
