/* SPDX-License-Identifier: MIT */
/* Carries a plan out with the framework itself, on whatever machine there is. */
#ifndef MODEL_PLAY_H
#define MODEL_PLAY_H

#include "trace.h"

void play_run(const struct plan *plan, struct trace *trace);

/* ---- The machine: machine_native.c, or tests/qemu/core/model.c ---- */

/* Where the guests' memory comes from. */
const struct hatch_memory *machine_memory(void);

/* Readies `guest` and `vcpu`, which are new and empty, to begin the guest's events. */
void machine_prepare(const struct plan *plan, int index, struct hatch_guest *guest,
		     struct hatch_vcpu *vcpu);

/* The event of the guest whose instruction is at pc; -1: none is. */
int machine_event_at(const struct plan *plan, int index, uint64_t pc);

/* The plan is done: everything was given back. Notes what is not so. */
void machine_end(struct trace *trace);

#endif
