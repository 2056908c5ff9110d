/* SPDX-License-Identifier: MIT */
/*
 * What a machine keeps beside its devices. The clock's alarm is not among it: the clock asks for
 * it again.
 */
#include <string.h>

#include "machine_internal.h"

struct machine_image {
	uint32_t frequency;
	uint32_t listening;		    /* 0 or 1 */
	uint32_t slots;			    /* for virtio devices, that the guest knows of */
	char emulated[HATCH_EMULATOR_LIST]; /* what the guest was told of; zeros behind it */
};

static void save(void *arg, void *to)
{
	struct hatch_machine *machine = arg;
	const struct hatch_emulator *emulator = &machine->emulator;
	struct machine_image *image = to;

	memset(image, 0, sizeof(*image));
	image->frequency = machine->frequency;
	image->slots = machine->slots;
	hatch_lock_acquire(&machine->lock);
	image->listening = machine->listening;
	hatch_lock_release(&machine->lock);
	if (emulator->ops)
		memcpy(image->emulated, emulator->extensions, strlen(emulator->extensions));
}

/* A byte that waits on the console interrupts again as soon as the guest runs. */
static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	const struct machine_image *image = from;
	struct hatch_machine *machine = arg;
	struct machine_image now;

	(void)vcpu;
	save(machine, &now);
	if (image->frequency != now.frequency || image->slots != now.slots || image->listening > 1)
		return HATCH_EFORMAT;
	if (memcmp(image->emulated, now.emulated, sizeof(now.emulated)))
		return HATCH_ENOTSUP;
	hatch_lock_acquire(&machine->lock);
	if (image->listening != machine->listening)
		machine->host.console_interrupt(machine->host.arg, image->listening);
	machine->listening = image->listening;
	hatch_lock_release(&machine->lock);
	return HATCH_OK;
}

void hatch_machine_state_init(struct hatch_machine *machine)
{
	machine->state = (struct hatch_state){
		.name = "machine",
		.version = 2,
		.size = sizeof(struct machine_image),
		.save = save,
		.restore = restore,
		.arg = machine,
	};
}

int hatch_machine_add_states(struct hatch_machine *machine)
{
	/*
	 * They are put back from the last one to the first: first of all the wires get their vcpu,
	 * then the interrupt controller its lines; a device that says otherwise has the last word.
	 */
	struct hatch_state *const state[] = { &machine->state,	    &machine->finisher.state,
					      &machine->rtc.state,  &machine->uart.state,
					      &machine->plic.state, &machine->sbi.state };
	int error = HATCH_OK;

	for (size_t i = 0; i < sizeof(state) / sizeof(state[0]) && !error; i++)
		error = hatch_state_add(&machine->scope, state[i]);
	return error;
}
