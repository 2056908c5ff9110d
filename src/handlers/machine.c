/* SPDX-License-Identifier: MIT */
/*
 * A machine made of stock clauses: the wires between them.
 */
#include <libfdt.h>

#include <hatch/handlers/unmapped.h>

#include "machine_internal.h"

enum { BEATS_PER_SECOND = 10 };

static void on_plic(void *arg, unsigned int context, bool level)
{
	struct hatch_machine *machine = arg;
	struct hatch_vcpu *vcpu = machine->hart[context / HATCH_MACHINE_CONTEXTS].vcpu;

	if (context % HATCH_MACHINE_CONTEXTS != HATCH_MACHINE_CONTEXT_S)
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

/* From the serial port and from the SBI. */
static void on_transmit(void *arg, const void *bytes, size_t size)
{
	struct hatch_machine *machine = arg;

	hatch_lock_acquire(&machine->console);
	machine->host.console_write(machine->host.arg, bytes, size);
	hatch_lock_release(&machine->console);
}

static int on_type(void *arg)
{
	struct hatch_machine *machine = arg;
	int byte;

	hatch_lock_acquire(&machine->console);
	byte = machine->host.console_read(machine->host.arg);
	hatch_lock_release(&machine->console);
	return byte;
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
void hatch_machine_arm(struct hatch_machine *machine, const struct hatch_vcpu *vcpu)
{
	uint64_t alarm, beat;

	if (!(vcpu->confine.henvcfg & HENVCFG_STCE) || !machine->frequency)
		return;
	hatch_lock_acquire(&machine->lock);
	alarm = machine->alarm;
	hatch_lock_release(&machine->lock);
	beat = host_ticks(vcpu) + machine->frequency / BEATS_PER_SECOND;
	machine->host.timer(machine->host.arg, alarm < beat ? alarm : beat);
}

static void set_alarm(struct hatch_machine *machine, uint64_t ticks)
{
	hatch_lock_acquire(&machine->lock);
	machine->alarm = ticks;
	hatch_lock_release(&machine->lock);
}

/*
 * The hart that asked lets it ring; if that stops, another one at its next beat. Without Sstc the
 * clock is looked at whenever the guest's timer expires.
 */
static void on_rtc_arm(void *arg, struct hatch_vcpu *vcpu, uint64_t ns)
{
	struct hatch_machine *machine = arg;
	uint64_t now = on_now(machine);

	if (ns == HATCH_RTC_NEVER || !vcpu)
		set_alarm(machine, HATCH_TIMER_NEVER);
	else
		set_alarm(machine, host_ticks(vcpu) + (ns > now ? ticks_of(machine, ns - now) : 0));
	if (vcpu)
		hatch_machine_arm(machine, vcpu);
}

static void on_expired(void *arg, struct hatch_vcpu *vcpu)
{
	struct hatch_machine *machine = arg;

	hatch_rtc_poll(&machine->rtc);
	hatch_lock_acquire(&machine->lock);
	if (machine->alarm <= host_ticks(vcpu))
		machine->alarm = HATCH_TIMER_NEVER; /* it rang, or the next beat lets it */
	hatch_lock_release(&machine->lock);
	hatch_machine_arm(machine, vcpu);
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
	machine->sbi.console.write = on_transmit;
	machine->sbi.console.read = on_type;
	machine->sbi.console.arg = machine;
	machine->sbi.remote.start = hatch_machine_start;
	machine->sbi.remote.arg = machine;
}

static void connect_all(struct hatch_machine *machine)
{
	hatch_plic_init(&machine->plic, hatch_gpa_of(HATCH_MACHINE_PLIC), HATCH_MACHINE_SOURCES,
			machine->harts * HATCH_MACHINE_CONTEXTS);
	machine->plic.output = on_plic;
	machine->plic.arg = machine;
	connect_uart(machine);
	connect_rtc(machine);
	hatch_finisher_init(&machine->finisher, hatch_gpa_of(HATCH_MACHINE_FINISHER));
	connect_sbi(machine);
	machine->unmapped = hatch_unmapped_clause();
	machine->kick = hatch_machine_kick_clause(machine);
	hatch_machine_state_init(machine);
}

static int add_all(struct hatch_machine *machine)
{
	struct hatch_catch *const device[] = { &machine->plic.clause, &machine->uart.clause,
					       &machine->rtc.clause, &machine->finisher.clause,
					       &machine->kick };
	int error;

	hatch_scope_init(&machine->rest, "rest", NULL);
	hatch_scope_init(&machine->scope, "machine", &machine->rest);
	error = hatch_catch_add(&machine->rest, &machine->unmapped);
	if (!error)
		error = hatch_sbi_add_rest(&machine->sbi, &machine->rest);
	if (!error)
		error = hatch_sbi_add(&machine->sbi, &machine->scope);
	for (size_t i = 0; i < sizeof(device) / sizeof(device[0]) && !error; i++)
		error = hatch_catch_add(&machine->scope, device[i]);
	return error ? error : hatch_machine_add_states(machine);
}

int hatch_machine_init(struct hatch_machine *machine, const struct hatch_machine_host *host,
		       struct hatch_sbi_hart *hart, unsigned int harts)
{
	if (!harts || harts > HATCH_MACHINE_HARTS || (harts > 1 && (!host->wait || !host->wake)))
		return HATCH_EINVAL;
	*machine = (struct hatch_machine){ .host = *host, .hart = hart, .harts = harts };
	machine->alarm = HATCH_TIMER_NEVER;
	machine->frequency = frequency_of(host->fdt);
	for (unsigned int i = 0; i < harts; i++) {
		hart[i].vcpu->hart_id = i;
		/* One machine has one clock. */
		hart[i].vcpu->confine.htimedelta = hart[0].vcpu->confine.htimedelta;
		hatch_vcpu_lower(hart[i].vcpu, HVIP_VSEIP); /* of a machine before this one */
	}
	connect_all(machine);
	return add_all(machine);
}

int hatch_machine_emulate(struct hatch_machine *machine, const char *extensions)
{
	int error;

	if (!extensions)
		return HATCH_OK;
	if (machine->emulator.ops)
		return HATCH_EBUSY;
	error = hatch_emulator_init(&machine->emulator, extensions);
	return error ? error : hatch_emulator_add(&machine->emulator, &machine->scope);
}

int hatch_machine_enter(struct hatch_machine *machine, struct hatch_try *t)
{
	if (t->entered || t->suspended)
		return HATCH_ESEALED;
	if (t->own->outer && t->own->outer != &machine->scope)
		return HATCH_EINVAL;
	t->own->outer = &machine->scope;
	return HATCH_OK;
}

void hatch_machine_receive(struct hatch_machine *machine)
{
	const struct hatch_machine_host *host = &machine->host;
	int byte;

	hatch_lock_acquire(&machine->lock);
	while (hatch_uart_room(&machine->uart) && (byte = on_type(machine)) >= 0)
		hatch_uart_receive(&machine->uart, &(uint8_t){ (uint8_t)byte }, 1);
	/* A byte without room stays where it is, and must not interrupt for ever. */
	bool listen = hatch_uart_room(&machine->uart);
	if (listen != machine->listening)
		host->console_interrupt(host->arg, listen);
	machine->listening = listen;
	hatch_lock_release(&machine->lock);
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
