/* SPDX-License-Identifier: MIT */
/* The machine's slots for virtio devices. */
#include "machine_internal.h"

static hatch_gpa base_of(unsigned int slot)
{
	return hatch_gpa_of(HATCH_MACHINE_VIRTIO + slot * HATCH_MACHINE_VIRTIO_STRIDE);
}

/* ---- Empty slots ---- */

static int add_empty(struct hatch_machine *machine, unsigned int slot)
{
	machine->empty[slot] = hatch_virtio_empty_clause(base_of(slot));
	return hatch_catch_add(&machine->scope, &machine->empty[slot]);
}

int hatch_machine_set_slots(struct hatch_machine *machine, unsigned int slots)
{
	int error = HATCH_OK;

	if (slots > HATCH_MACHINE_VIRTIO_SLOTS)
		return HATCH_E2BIG;
	if (slots < machine->slots)
		return HATCH_EINVAL;
	while (machine->slots < slots && !error) {
		error = add_empty(machine, machine->slots);
		machine->slots += !error;
	}
	return error;
}

/* ---- Devices ---- */

/* All that the guest can reach is RAM, or a clause: it has no use for other types of memory. */
static void take_memory_types(struct hatch_vcpu *vcpu)
{
	vcpu->henvcfg &= ~HENVCFG_PBMTE;
	vcpu->confine.henvcfg &= ~HENVCFG_PBMTE;
}

void hatch_machine_use_windows(struct hatch_machine *machine)
{
	if (machine->windows)
		return;
	machine->windows = true;
	for (unsigned int i = 0; i < machine->harts; i++)
		take_memory_types(machine->hart[i].vcpu);
	hatch_plic_add_windows(&machine->plic, machine->hart[0].vcpu->guest);
}

/* Whatever a snapshot said of the slot's line, this device's is low. */
static void connect(struct hatch_machine *machine, unsigned int slot)
{
	struct hatch_virtio_proxy *proxy = &machine->virtio[slot];
	struct hatch_plic_line *line = &machine->virtio_line[slot];

	*line = (struct hatch_plic_line){ &machine->plic, HATCH_MACHINE_VIRTIO_IRQ + slot };
	proxy->line = hatch_plic_line;
	proxy->line_arg = line;
	hatch_plic_line(line, false);
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

/* In the place of the empty slot, if there is one; that is back in force if this fails. */
static int plug(struct hatch_machine *machine, unsigned int slot)
{
	struct hatch_catch *empty = slot < machine->slots ? &machine->empty[slot] : NULL;
	int error = empty ? hatch_catch_remove(&machine->scope, empty) : HATCH_OK;

	if (error)
		return error;
	error = add(machine, &machine->virtio[slot]);
	if (error && empty)
		hatch_catch_add(&machine->scope, empty);
	return error;
}

int hatch_machine_add_virtio(struct hatch_machine *machine, const struct hatch_virtio_real *real)
{
	unsigned int slot = machine->virtios;
	struct hatch_virtio_proxy *proxy = &machine->virtio[slot];
	int error;

	if (slot == HATCH_MACHINE_VIRTIO_SLOTS)
		return HATCH_E2BIG;
	error = hatch_virtio_proxy_init(proxy, machine->hart[0].vcpu->guest, base_of(slot), real);
	if (error)
		return error;
	if (machine->windows)
		hatch_virtio_proxy_add_window(proxy);
	connect(machine, slot);
	error = plug(machine, slot);
	if (error) {
		hatch_virtio_proxy_fini(proxy);
		return error;
	}
	machine->virtios++;
	if (machine->slots < machine->virtios)
		machine->slots = machine->virtios;
	return HATCH_OK;
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
	hatch_plic_fini(&machine->plic);
}
