/* SPDX-License-Identifier: MIT */
/* Between the guest's machine and the real one. */
#ifndef DEMO_LINUX_HOST_H
#define DEMO_LINUX_HOST_H

#include <hatch/handlers/machine.h>

/* What hatch_machine_init is told of the real machine. `machine` is the one it makes. */
struct hatch_machine_host host_of(struct hatch_machine *machine);

/*
 * Connects the machine, just made, to the real one: what interrupts the host is passed on. It has
 * as many empty slots for virtio devices as the user asked for. Gives up when that cannot be done.
 */
void host_connect(struct hatch_machine *machine);

/*
 * The real machine's virtio devices become the guest's, in its first slots. Ahead of a boot, or
 * once a snapshot is loaded. Gives up when that cannot be done.
 */
void host_plug(struct hatch_machine *machine);

/* Says which devices the guest has lost by its own fault, and why. */
void host_tell_lost(const struct hatch_machine *machine);

#endif
