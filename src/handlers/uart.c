/* SPDX-License-Identifier: MIT */
/*
 * The 16550A as its data sheet tells it, on a line of infinite speed: a byte is sent when it is
 * written, and a receiver that waits for more bytes times out at once.
 */
#include <hatch/handlers/unmapped.h>

#include "uart_internal.h"

enum reg {
	REG_RBR = 0, /* read: receiver buffer; write: transmitter holding; DLAB: divisor, low */
	REG_IER = 1, /* DLAB: divisor, high */
	REG_IIR = 2, /* read; write: FIFO control */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
};

enum iir {
	IIR_MSI = 0x00,
	IIR_NONE = 0x01,
	IIR_THRI = 0x02,
	IIR_RDI = 0x04,
	IIR_RLSI = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_FIFOS = 0xc0,
};

enum { LCR_8N1 = 0x03, LCR_DLAB = 0x80 };

enum lsr {
	LSR_DR = 0x01, /* data ready */
	LSR_OE = 0x02, /* overrun */
	LSR_THRE = 0x20,
	LSR_TEMT = 0x40,
};

/* ---- The receiver ---- */

static unsigned int capacity(const struct hatch_uart *uart)
{
	return hatch_uart_capacity(uart->fcr);
}

/* Returns false, and notes the overrun, if the byte had to be dropped. */
static bool push(struct hatch_uart *uart, uint8_t byte)
{
	if (uart->count >= capacity(uart)) {
		uart->overrun = true;
		return false;
	}
	uart->fifo[(uart->first + uart->count++) % HATCH_UART_FIFO] = byte;
	return true;
}

static size_t room(const struct hatch_uart *uart)
{
	if (uart->mcr & MCR_LOOP || uart->count >= capacity(uart))
		return 0;
	return capacity(uart) - uart->count;
}

/* The sink is to be told that there is room: it will call us, so not with the lock. */
static void unlock(struct hatch_uart *uart)
{
	bool drained = uart->emptied && room(uart);

	uart->emptied = false;
	hatch_lock_release(&uart->lock);
	if (drained && uart->drained)
		uart->drained(uart->arg);
}

/* Reading an empty receiver gives the last byte again, as the chip's register does. */
static uint8_t pop(struct hatch_uart *uart)
{
	uint8_t byte = uart->fifo[uart->first];

	if (!uart->count)
		return byte;
	if (--uart->count)
		uart->first = (uart->first + 1) % HATCH_UART_FIFO;
	else
		uart->emptied = true;
	return byte;
}

/* ---- Interrupts ---- */

static bool is_triggered(const struct hatch_uart *uart)
{
	static const uint8_t trigger[] = { 1, 4, 8, 14 };

	return uart->count >= trigger[uart->fcr >> FCR_TRIGGER_SHIFT];
}

/* The cause of highest priority. */
static uint8_t interrupt_cause(const struct hatch_uart *uart)
{
	if (uart->ier & IER_RLSI && uart->overrun)
		return IIR_RLSI;
	if (uart->ier & IER_RDI && uart->count)
		return is_triggered(uart) ? IIR_RDI : IIR_TIMEOUT;
	if (uart->ier & IER_THRI && uart->transmitted)
		return IIR_THRI;
	if (uart->ier & IER_MSI && uart->msr & MSR_DELTAS)
		return IIR_MSI;
	return IIR_NONE;
}

void hatch_uart_tell_line(struct hatch_uart *uart)
{
	uart->level = interrupt_cause(uart) != IIR_NONE;
	if (uart->line)
		uart->line(uart->line_arg, uart->level);
}

static void update_line(struct hatch_uart *uart)
{
	if ((interrupt_cause(uart) != IIR_NONE) != uart->level)
		hatch_uart_tell_line(uart);
}

/* ---- The modem's lines ---- */

static void update_modem(struct hatch_uart *uart)
{
	uint8_t lines = hatch_uart_modem_lines(uart->mcr),
		changed = (uart->msr ^ lines) & MSR_LINES;

	if (lines & MSR_RI) /* its delta tells the trailing edge only */
		changed &= ~MSR_RI;
	uart->msr = lines | changed >> 4 | (uart->msr & MSR_DELTAS);
}

/* ---- Registers ---- */

static uint8_t read_iir(struct hatch_uart *uart)
{
	uint8_t cause = interrupt_cause(uart);

	if (cause == IIR_THRI)
		uart->transmitted = false;
	return cause | (uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct hatch_uart *uart)
{
	uint8_t lsr = LSR_THRE | LSR_TEMT;

	if (uart->count)
		lsr |= LSR_DR;
	if (uart->overrun)
		lsr |= LSR_OE;
	uart->overrun = false;
	return lsr;
}

static uint8_t read_msr(struct hatch_uart *uart)
{
	uint8_t msr = uart->msr;

	uart->msr &= MSR_LINES;
	return msr;
}

static uint8_t read_register(struct hatch_uart *uart, uint64_t offset)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (offset) {
	case REG_RBR:
		return dlab ? uart->dll : pop(uart);
	case REG_IER:
		return dlab ? uart->dlm : uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	case REG_SCR:
		return uart->scr;
	default:
		return 0;
	}
}

static void transmit(struct hatch_uart *uart, uint8_t byte)
{
	uart->transmitted = true;
	if (uart->mcr & MCR_LOOP)
		push(uart, byte);
	else if (uart->write)
		uart->write(uart->arg, &byte, 1);
}

/* Enabling the transmitter's interrupt tells at once that it is empty: it always is. */
static void write_ier(struct hatch_uart *uart, uint8_t value)
{
	if (value & ~uart->ier & IER_THRI)
		uart->transmitted = true;
	uart->ier = value & IER_ALL;
}

static void write_fcr(struct hatch_uart *uart, uint8_t value)
{
	bool toggled = (value ^ uart->fcr) & FCR_ENABLE;
	bool had_bytes = uart->count;

	uart->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	if (!toggled && !(value & FCR_CLEAR_RX))
		return;
	uart->count = 0;
	uart->emptied |= had_bytes;
}

static void write_mcr(struct hatch_uart *uart, uint8_t value)
{
	bool loop_ends = uart->mcr & ~value & MCR_LOOP;

	uart->mcr = value & MCR_ALL;
	update_modem(uart);
	uart->emptied |= loop_ends;
}

static void write_register(struct hatch_uart *uart, uint64_t offset, uint8_t value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (offset) {
	case REG_RBR:
		if (dlab)
			uart->dll = value;
		else
			transmit(uart, value);
		break;
	case REG_IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		write_mcr(uart, value);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
}

static enum hatch_verdict on_uart(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_uart *uart = arg;
	uint8_t value = 0;

	if (ev->mmio.width != 1)
		return hatch_inject_access_fault(ev, k);
	hatch_lock_acquire(&uart->lock);
	if (ev->mmio.write)
		write_register(uart, ev->mmio.offset, (uint8_t)ev->mmio.value);
	else
		value = read_register(uart, ev->mmio.offset);
	update_line(uart);
	unlock(uart);
	return hatch_resume(k, value);
}

/* ---- The host's side ---- */

size_t hatch_uart_room(struct hatch_uart *uart)
{
	size_t bytes;

	hatch_lock_acquire(&uart->lock);
	bytes = room(uart);
	hatch_lock_release(&uart->lock);
	return bytes;
}

size_t hatch_uart_receive(struct hatch_uart *uart, const uint8_t *bytes, size_t size)
{
	size_t taken = 0;

	hatch_lock_acquire(&uart->lock);
	/* In loopback the input is not connected: nothing is there to overrun. */
	while (!(uart->mcr & MCR_LOOP) && taken < size && push(uart, bytes[taken]))
		taken++;
	update_line(uart);
	hatch_lock_release(&uart->lock);
	return taken;
}

void hatch_uart_reset(struct hatch_uart *uart)
{
	hatch_lock_acquire(&uart->lock);
	uart->first = uart->count = 0;
	uart->ier = uart->fcr = uart->mcr = uart->scr = uart->dlm = 0;
	uart->lcr = LCR_8N1;
	uart->dll = 1;
	uart->msr = hatch_uart_modem_lines(0);
	uart->transmitted = uart->overrun = false;
	update_line(uart);
	uart->emptied = true;
	unlock(uart);
}

void hatch_uart_init(struct hatch_uart *uart, hatch_gpa base)
{
	*uart = (struct hatch_uart){ .count = 0 };
	hatch_uart_reset(uart);
	uart->clause = HATCH_ON_MMIO(base.addr, HATCH_UART_SIZE, on_uart, uart);
	uart->clause.name = "uart";
	uart->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT);
	hatch_uart_state_init(uart);
}
