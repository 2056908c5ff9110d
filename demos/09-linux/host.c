/* SPDX-License-Identifier: MIT */
/*
 * Where the guest's machine ends: its console, timers and clock are the board's, its virtio devices
 * are real ones, and one hart of its serves one of the guest's.
 */
#include <stdio.h>

#include <hatch/board.h>

#include "host.h"
#include "user.h"

static void console_write(void *arg, const void *bytes, size_t size)
{
	hatch_board_console_write(bytes, size);
}

static int console_read(void *arg)
{
	return hatch_board_console_read();
}

static void console_interrupt(void *arg, bool on)
{
	hatch_board_console_interrupt(on);
}

static void timer(void *arg, uint64_t ticks)
{
	hatch_board_timer(ticks);
}

static uint64_t wall_ns(void *arg)
{
	return hatch_board_wall_ns();
}

/* ---- Real interrupts: a byte was typed, a device is done with a request ---- */

static void serve_interrupts(struct hatch_machine *machine)
{
	enum hatch_board_irq irq;

	while ((irq = hatch_board_interrupt_claim()) != HATCH_BOARD_IRQ_NONE)
		if (irq == HATCH_BOARD_IRQ_CONSOLE)
			hatch_machine_receive(machine);
		else if (irq < HATCH_BOARD_IRQ_OTHER)
			hatch_machine_virtio_interrupt(machine, irq - HATCH_BOARD_IRQ_VIRTIO);
}

/* While a guest runs they end its run. */
static enum hatch_verdict on_external(void *machine, const struct hatch_event *ev,
				      struct hatch_cont *k)
{
	serve_interrupts(machine);
	return hatch_resume(k, 0);
}

/* While none runs, because the guest has stopped this hart, they end the waiting. */
static void wait(void *machine)
{
	hatch_board_wait();
	serve_interrupts(machine);
}

static void wake(void *machine, unsigned int hart)
{
	hatch_board_wake(hart);
}

/* The guest's device i is the board's device i. */
void host_plug(struct hatch_machine *machine)
{
	struct hatch_board_virtio device;

	for (unsigned int i = 0; hatch_board_virtio(i, &device); i++) {
		struct hatch_virtio_real real = { hatch_board_virtio_load, hatch_board_virtio_store,
						  device.registers };
		int error = hatch_machine_add_virtio(machine, &real);

		if (error && error != HATCH_E2BIG && machine->virtio[i].problem)
			give_up("a virtio device", machine->virtio[i].problem);
		check(error, "a virtio device");
	}
}

void host_tell_lost(const struct hatch_machine *machine)
{
	for (unsigned int i = 0; i < machine->virtios; i++) {
		const struct hatch_virtio_proxy *device = &machine->virtio[i];

		if (device->count.broken)
			printf("hatch: virtio device %u (type %u) was stopped: %s\n", i,
			       (unsigned int)device->device_id, device->problem);
	}
}

struct hatch_machine_host host_of(struct hatch_machine *machine)
{
	return (struct hatch_machine_host){
		.fdt = hatch_board_fdt(),
		.console_write = console_write,
		.console_read = console_read,
		.console_interrupt = console_interrupt,
		.timer = timer,
		.wall_ns = wall_ns,
		.wait = wait,
		.wake = wake,
		.arg = machine,
	};
}

void host_connect(struct hatch_machine *machine)
{
	static struct hatch_catch external;

	external = HATCH_ON_INTERRUPT(IRQ_S_EXT, on_external, machine);
	check(hatch_catch_add(&machine->scope, &external), "the clause of real interrupts");
	check(hatch_machine_set_slots(machine, (unsigned int)find_number("slots", 0)),
	      "the number of slots");
}
