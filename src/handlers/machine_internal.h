/* SPDX-License-Identifier: MIT */
/* What the files of the machine share. */
#ifndef HATCH_SRC_MACHINE_INTERNAL_H
#define HATCH_SRC_MACHINE_INTERNAL_H

#include <hatch/handlers/machine.h>

/* PLIC contexts come in pairs for each hart: M-mode, which a guest has not, and S-mode. */
#define HATCH_MACHINE_CONTEXTS	2
#define HATCH_MACHINE_CONTEXT_S 1

/* Arms the timer of the calling hart, that of `vcpu`, for the clock's alarm and the beat. */
void hatch_machine_arm(struct hatch_machine *machine, const struct hatch_vcpu *vcpu);

/* The sink of the SBI: has a hart's server begin. */
int hatch_machine_start(void *machine, struct hatch_sbi_hart *hart);

/* By which harts that run come back when the machine has ended. */
struct hatch_catch hatch_machine_kick_clause(struct hatch_machine *machine);

/* Fills machine->state. */
void hatch_machine_state_init(struct hatch_machine *machine);

/* Adds the states of the machine and of its devices. Errors: those of hatch_state_add. */
int hatch_machine_add_states(struct hatch_machine *machine);

#endif
