/* SPDX-License-Identifier: MIT */
/*
 * A machine made of stock clauses: the wires between them.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <hatch/handlers/tree.h>
#include <hatch/handlers/unmapped.h>

#include "machine_internal.h"

/* PLIC contexts come in pairs for each hart: M-mode, which a guest has not, and S-mode. */
#define CONTEXTS_PER_HART 2
#define CONTEXT_S	  1

#define SEED_SIZE	  32 /* bytes */

enum { BEATS_PER_SECOND = 10 };

/* Phandles behind those of the harts' own controllers. */
static uint32_t plic_phandle(const struct hatch_machine *machine)
{
	return HATCH_TREE_INTC_PHANDLE(machine->harts);
}

static uint32_t finisher_phandle(const struct hatch_machine *machine)
{
	return plic_phandle(machine) + 1;
}

static void on_plic(void *arg, unsigned int context, bool level)
{
	struct hatch_machine *machine = arg;
	struct hatch_vcpu *vcpu = machine->hart[context / CONTEXTS_PER_HART].vcpu;

	if (context % CONTEXTS_PER_HART != CONTEXT_S)
		return;
	if (level)
		hatch_vcpu_raise(vcpu, HVIP_VSEIP);
	else
		hatch_vcpu_lower(vcpu, HVIP_VSEIP);
}

static void on_drained(void *arg)
{
	hatch_machine_receive(arg);
}

static void on_transmit(void *arg, const void *bytes, size_t size)
{
	const struct hatch_machine *machine = arg;

	machine->host.console_write(machine->host.arg, bytes, size);
}

static uint64_t on_now(void *arg)
{
	const struct hatch_machine *machine = arg;

	return machine->host.wall_ns(machine->host.arg);
}

/* Host time, ticks. */
static uint64_t host_ticks(const struct hatch_vcpu *vcpu)
{
	return hatch_vcpu_time(vcpu) - vcpu->confine.htimedelta;
}

/* Ticks for a distance in nanoseconds; the most when that is beyond what fits. */
static uint64_t ticks_of(const struct hatch_machine *machine, uint64_t ns)
{
	const uint64_t second = 1000000000;

	if (ns / second > (HATCH_TIMER_NEVER >> 1) / machine->frequency)
		return HATCH_TIMER_NEVER >> 1;
	return ns / second * machine->frequency + ns % second * machine->frequency / second;
}

/*
 * The host's timer is free as long as the guest has one of its own (Sstc): the clock's alarm rides
 * on it, and a slow beat. QEMU 7.2 now and then forgets that vstimecmp has expired, until the
 * next exit from the guest; without the beat an idle guest would sleep for good.
 */
static void arm(struct hatch_machine *machine)
{
	const struct hatch_vcpu *vcpu = machine->hart[0].vcpu;
	uint64_t beat = host_ticks(vcpu) + machine->frequency / BEATS_PER_SECOND;

	if ((vcpu->confine.henvcfg & HENVCFG_STCE) && machine->frequency)
		machine->host.timer(machine->host.arg,
				    machine->alarm < beat ? machine->alarm : beat);
}

/* Without Sstc the clock is looked at whenever the guest's timer expires. */
static void on_rtc_arm(void *arg, uint64_t ns)
{
	struct hatch_machine *machine = arg;
	uint64_t now = on_now(machine);

	machine->alarm = HATCH_TIMER_NEVER;
	if (ns != HATCH_RTC_NEVER)
		machine->alarm = host_ticks(machine->hart[0].vcpu) +
				 (ns > now ? ticks_of(machine, ns - now) : 0);
	arm(machine);
}

static void on_expired(void *arg)
{
	struct hatch_machine *machine = arg;

	hatch_rtc_poll(&machine->rtc);
	if (machine->alarm <= host_ticks(machine->hart[0].vcpu))
		machine->alarm = HATCH_TIMER_NEVER; /* it rang, or the next beat lets it */
	arm(machine);
}

static uint32_t frequency_of(const void *fdt)
{
	int size, cpus = fdt_path_offset(fdt, "/cpus");
	const fdt32_t *cell = cpus < 0 ? NULL : fdt_getprop(fdt, cpus, "timebase-frequency", &size);

	return cell && size == sizeof(*cell) ? fdt32_to_cpu(*cell) : 0;
}

static void connect_uart(struct hatch_machine *machine)
{
	machine->uart_line = (struct hatch_plic_line){ &machine->plic, HATCH_MACHINE_UART_IRQ };
	hatch_uart_init(&machine->uart, hatch_gpa_of(HATCH_MACHINE_UART));
	machine->uart.write = on_transmit;
	machine->uart.drained = on_drained;
	machine->uart.arg = machine;
	machine->uart.line = hatch_plic_line;
	machine->uart.line_arg = &machine->uart_line;
}

static void connect_rtc(struct hatch_machine *machine)
{
	machine->rtc_line = (struct hatch_plic_line){ &machine->plic, HATCH_MACHINE_RTC_IRQ };
	hatch_rtc_init(&machine->rtc, hatch_gpa_of(HATCH_MACHINE_RTC));
	machine->rtc.now = on_now;
	machine->rtc.arm = on_rtc_arm;
	machine->rtc.arg = machine;
	machine->rtc.line = hatch_plic_line;
	machine->rtc.line_arg = &machine->rtc_line;
}

static void connect_sbi(struct hatch_machine *machine)
{
	const struct hatch_machine_host *host = &machine->host;

	hatch_timer_init(&machine->timer, host->timer, host->arg);
	machine->timer.expired = on_expired;
	machine->timer.expired_arg = machine;
	hatch_sbi_init(&machine->sbi, machine->hart, machine->harts, &machine->timer);
	machine->sbi.console.write = host->console_write;
	machine->sbi.console.read = host->console_read;
	machine->sbi.console.arg = host->arg;
}

int hatch_machine_init(struct hatch_machine *machine, const struct hatch_machine_host *host,
		       struct hatch_sbi_hart *hart, unsigned int harts)
{
	if (!harts || harts > HATCH_MACHINE_HARTS)
		return HATCH_EINVAL;
	*machine = (struct hatch_machine){ .host = *host, .hart = hart, .harts = harts };
	machine->alarm = HATCH_TIMER_NEVER;
	machine->frequency = frequency_of(host->fdt);
	machine->unmapped = hatch_unmapped_clause();
	hatch_plic_init(&machine->plic, hatch_gpa_of(HATCH_MACHINE_PLIC), HATCH_MACHINE_SOURCES,
			harts * CONTEXTS_PER_HART);
	machine->plic.output = on_plic;
	machine->plic.arg = machine;
	connect_uart(machine);
	connect_rtc(machine);
	hatch_finisher_init(&machine->finisher, hatch_gpa_of(HATCH_MACHINE_FINISHER));
	connect_sbi(machine);
	hatch_machine_state_init(machine);
	return HATCH_OK;
}

int hatch_machine_emulate(struct hatch_machine *machine, const char *extensions)
{
	if (!extensions)
		return HATCH_OK;
	if (machine->harts != 1)
		return HATCH_ENOTSUP;
	return hatch_emulator_init(&machine->emulator, extensions);
}

int hatch_machine_enter(struct hatch_machine *machine, struct hatch_try *t)
{
	struct hatch_catch *const device[] = { &machine->plic.clause, &machine->uart.clause,
					       &machine->rtc.clause, &machine->finisher.clause };
	int error;

	hatch_scope_init(&machine->scope, "machine", NULL);
	error = hatch_sbi_add(&machine->sbi, &machine->scope);
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]) && !error; i++)
		error = hatch_catch_add(&machine->scope, device[i]);
	if (!error && machine->emulator.ops)
		error = hatch_emulator_add(&machine->emulator, &machine->scope);
	if (!error)
		error = hatch_machine_add_states(machine);
	if (!error)
		error = hatch_catch_add(&t->scope, &machine->unmapped);
	if (!error)
		error = hatch_sbi_add_rest(&machine->sbi, &t->scope);
	return error ? error : hatch_scope_enter(t, &machine->scope);
}

static int write_devices(void *arg, void *fdt)
{
	const struct hatch_machine *machine = arg;
	uint32_t intc[HATCH_PLIC_CONTEXTS], mode[HATCH_PLIC_CONTEXTS];
	uint32_t plic = plic_phandle(machine);
	int error;

	for (unsigned int i = 0; i < machine->harts * CONTEXTS_PER_HART; i++) {
		intc[i] = HATCH_TREE_INTC_PHANDLE(i / CONTEXTS_PER_HART);
		mode[i] = i % CONTEXTS_PER_HART == CONTEXT_S ? IRQ_S_EXT : UINT32_MAX;
	}
	error = hatch_plic_fdt(&machine->plic, fdt, plic, intc, mode);
	if (!error)
		error = hatch_uart_fdt(&machine->uart, fdt, plic, HATCH_MACHINE_UART_IRQ);
	if (!error)
		error = hatch_rtc_fdt(&machine->rtc, fdt, plic, HATCH_MACHINE_RTC_IRQ);
	if (!error)
		error = hatch_finisher_fdt(&machine->finisher, fdt, finisher_phandle(machine));
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
	arm(machine);
	hatch_vcpu_reset(vcpu, machine->load.entry, vcpu->hart_id, tree.addr);
	hatch_machine_receive(machine);
	return HATCH_OK;
}

void hatch_machine_receive(struct hatch_machine *machine)
{
	const struct hatch_machine_host *host = &machine->host;
	int byte;

	while (hatch_uart_room(&machine->uart) && (byte = host->console_read(host->arg)) >= 0)
		hatch_uart_receive(&machine->uart, &(uint8_t){ (uint8_t)byte }, 1);
	/* A byte without room stays where it is, and must not interrupt for ever. */
	bool listen = hatch_uart_room(&machine->uart);
	if (listen != machine->listening)
		host->console_interrupt(host->arg, listen);
	machine->listening = listen;
}

enum hatch_reset_kind hatch_machine_request(const struct hatch_machine *machine)
{
	switch (machine->finisher.request) {
	case HATCH_FINISHER_RESET:
		return HATCH_RESET_COLD_REBOOT;
	case HATCH_FINISHER_PASS:
	case HATCH_FINISHER_FAIL:
		return HATCH_RESET_SHUTDOWN;
	default:
		return machine->sbi.reset;
	}
}

bool hatch_machine_reboots(const struct hatch_machine *machine)
{
	enum hatch_reset_kind request = hatch_machine_request(machine);

	return request == HATCH_RESET_COLD_REBOOT || request == HATCH_RESET_WARM_REBOOT;
}
