/* SPDX-License-Identifier: MIT */
/*
 * How a program comes to a machine: into the guest's RAM, with a device tree that tells of what
 * is there.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <hatch/handlers/tree.h>

#include "machine_internal.h"

#define SEED_SIZE 32 /* bytes */

/* Phandles behind those of the harts' own controllers. */
static uint32_t plic_phandle(const struct hatch_machine *machine)
{
	return HATCH_TREE_INTC_PHANDLE(machine->harts);
}

static uint32_t finisher_phandle(const struct hatch_machine *machine)
{
	return plic_phandle(machine) + 1;
}

static int write_devices(void *arg, void *fdt)
{
	const struct hatch_machine *machine = arg;
	uint32_t intc[HATCH_PLIC_CONTEXTS], mode[HATCH_PLIC_CONTEXTS];
	uint32_t plic = plic_phandle(machine);
	int error;

	for (unsigned int i = 0; i < machine->harts * HATCH_MACHINE_CONTEXTS; i++) {
		intc[i] = HATCH_TREE_INTC_PHANDLE(i / HATCH_MACHINE_CONTEXTS);
		mode[i] = i % HATCH_MACHINE_CONTEXTS == HATCH_MACHINE_CONTEXT_S ? IRQ_S_EXT
										: UINT32_MAX;
	}
	error = hatch_plic_fdt(&machine->plic, fdt, plic, intc, mode);
	if (!error)
		error = hatch_uart_fdt(&machine->uart, fdt, plic, HATCH_MACHINE_UART_IRQ);
	if (!error)
		error = hatch_rtc_fdt(&machine->rtc, fdt, plic, HATCH_MACHINE_RTC_IRQ);
	if (!error)
		error = hatch_finisher_fdt(&machine->finisher, fdt, finisher_phandle(machine));
	for (unsigned int i = 0; i < machine->virtios && !error; i++)
		error = hatch_virtio_proxy_fdt(&machine->virtio[i], fdt, plic,
					       HATCH_MACHINE_VIRTIO_IRQ + i);
	for (unsigned int i = machine->virtios; i < machine->slots && !error; i++)
		error = hatch_virtio_empty_fdt(&machine->empty[i], fdt, plic,
					       HATCH_MACHINE_VIRTIO_IRQ + i);
	return error;
}

/*
 * The guest's randomness is the machine's own, changed by the time so that a reboot does not see
 * the same again. False when the machine has none.
 */
static bool make_seed(const struct hatch_machine *machine, unsigned char *seed)
{
	uint64_t now = machine->host.wall_ns(machine->host.arg);
	int size, chosen = fdt_path_offset(machine->host.fdt, "/chosen");
	const void *from = chosen < 0 ? NULL
				      : fdt_getprop(machine->host.fdt, chosen, "rng-seed", &size);

	if (!from || size < SEED_SIZE)
		return false;
	memcpy(seed, from, SEED_SIZE);
	for (size_t i = 0; i < sizeof(now); i++)
		seed[i] ^= now >> (8 * i) & 0xff;
	return true;
}

static int write_tree(struct hatch_machine *machine, const struct hatch_boot *boot,
		      hatch_gpa initrd, hatch_gpa at)
{
	struct hatch_load *load = &machine->load;
	unsigned char seed[SEED_SIZE];
	size_t room = HATCH_TREE_ROOM;
	const struct hatch_tree tree = {
		.host = machine->host.fdt,
		.harts = machine->harts,
		.henvcfg = machine->hart[0].vcpu->confine.henvcfg,
		.emulated = machine->emulator.ops ? machine->emulator.extensions : NULL,
		.ram = load->ram,
		.ram_size = load->ram_size,
		.initrd = initrd,
		.initrd_size = boot->initrd ? boot->initrd->size : 0,
		.bootargs = boot->append,
		.stdout_path = "/soc/serial@10000000",
		.seed = make_seed(machine, seed) ? seed : NULL,
		.seed_size = SEED_SIZE,
		.devices = write_devices,
		.arg = machine,
	};
	void *fdt = hatch_guest_pointer(load->guest, at, &room, HATCH_PROT_WRITE);
	int error = fdt ? hatch_tree_build(&tree, fdt, room) : HATCH_EFAULT;

	if (error)
		hatch_load_explain(load, "the device tree", error);
	return error;
}

static int load_program(struct hatch_load *load, const struct hatch_boot *boot)
{
	if (boot->kernel)
		return hatch_linux_load(load, boot->kernel);
	if (boot->payload)
		return hatch_payload_load(load, boot->payload);
	snprintf(load->problem, sizeof(load->problem),
		 "nothing to boot: give a kernel or a payload");
	return HATCH_EINVAL;
}

static int load_all(struct hatch_machine *machine, const struct hatch_boot *boot, hatch_gpa *tree)
{
	struct hatch_load *load = &machine->load;
	hatch_gpa initrd = { 0 };
	int error = hatch_load_init(load, machine->hart[0].vcpu->guest,
				    hatch_gpa_of(HATCH_MACHINE_RAM));

	if (!error)
		error = hatch_load_reserve(load, HATCH_TREE_ROOM, "the device tree", tree);
	if (!error)
		error = load_program(load, boot);
	if (!error && boot->initrd)
		error = hatch_initrd_load(load, boot->initrd, &initrd);
	return error ? error : write_tree(machine, boot, initrd, *tree);
}

int hatch_machine_boot(struct hatch_machine *machine, const struct hatch_boot *boot)
{
	struct hatch_vcpu *vcpu = machine->hart[0].vcpu;
	hatch_gpa tree;
	int error = load_all(machine, boot, &tree);

	if (error)
		return error;
	/* An alarm of a former life would be this one's. */
	machine->alarm = HATCH_TIMER_NEVER;
	machine->host.timer(machine->host.arg, HATCH_TIMER_NEVER);
	hatch_machine_arm(machine, vcpu);
	hatch_vcpu_reset(vcpu, machine->load.entry, vcpu->hart_id, tree.addr);
	hatch_machine_receive(machine);
	return HATCH_OK;
}
