/* SPDX-License-Identifier: MIT */
/* What the files of the machine share. */
#ifndef HATCH_SRC_MACHINE_INTERNAL_H
#define HATCH_SRC_MACHINE_INTERNAL_H

#include <hatch/handlers/machine.h>

/* Fills machine->state. */
void hatch_machine_state_init(struct hatch_machine *machine);

/* Adds the states of the machine and of its devices. Errors: those of hatch_state_add. */
int hatch_machine_add_states(struct hatch_machine *machine);

#endif
