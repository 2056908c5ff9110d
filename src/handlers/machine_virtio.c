/* SPDX-License-Identifier: MIT */
/* The machine's slots for virtio devices. */
#include "machine_internal.h"

static void connect(struct hatch_machine *machine, unsigned int slot)
{
	struct hatch_virtio_proxy *proxy = &machine->virtio[slot];
	struct hatch_plic_line *line = &machine->virtio_line[slot];

	*line = (struct hatch_plic_line){ &machine->plic, HATCH_MACHINE_VIRTIO_IRQ + slot };
	proxy->line = hatch_plic_line;
	proxy->line_arg = line;
}

/*
 * The state goes to the outer scope: so it is put back behind those of the machine, when the
 * interrupt controller and the vcpu at the end of the device's line are right.
 */
static int add(struct hatch_machine *machine, struct hatch_virtio_proxy *proxy)
{
	int error = hatch_catch_add(&machine->scope, &proxy->clause);

	if (error)
		return error;
	error = hatch_state_add(&machine->rest, &proxy->state);
	if (error)
		hatch_catch_remove(&machine->scope, &proxy->clause);
	return error;
}

int hatch_machine_add_virtio(struct hatch_machine *machine, const struct hatch_virtio_real *real)
{
	unsigned int slot = machine->virtios;
	struct hatch_virtio_proxy *proxy = &machine->virtio[slot];
	int error;

	if (slot == HATCH_MACHINE_VIRTIO_SLOTS)
		return HATCH_E2BIG;
	error = hatch_virtio_proxy_init(
		proxy, machine->hart[0].vcpu->guest,
		hatch_gpa_of(HATCH_MACHINE_VIRTIO + slot * HATCH_MACHINE_VIRTIO_STRIDE), real);
	if (error)
		return error;
	connect(machine, slot);
	error = add(machine, proxy);
	if (error)
		hatch_virtio_proxy_fini(proxy);
	else
		machine->virtios++;
	return error;
}

void hatch_machine_virtio_interrupt(struct hatch_machine *machine, unsigned int slot)
{
	if (slot < machine->virtios)
		hatch_virtio_proxy_interrupt(&machine->virtio[slot]);
}

void hatch_machine_fini(struct hatch_machine *machine)
{
	while (machine->virtios)
		hatch_virtio_proxy_fini(&machine->virtio[--machine->virtios]);
}
