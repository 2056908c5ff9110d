/* SPDX-License-Identifier: MIT */
/* Between the guest's machine and the real one. */
#ifndef DEMO_LINUX_HOST_H
#define DEMO_LINUX_HOST_H

#include <hatch/handlers/machine.h>

/* What hatch_machine_init is told of the real machine. `machine` is the one it makes. */
struct hatch_machine_host host_of(struct hatch_machine *machine);

/*
 * Connects the machine, just made, to the real one: its virtio devices become the guest's, and
 * what interrupts the host is passed on. Gives up when that cannot be done.
 */
void host_connect(struct hatch_machine *machine);

/* Says which devices the guest has lost by its own fault, and why. */
void host_tell_lost(const struct hatch_machine *machine);

#endif
