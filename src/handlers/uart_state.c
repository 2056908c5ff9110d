/* SPDX-License-Identifier: MIT */
/* The serial port as bytes. */
#include <string.h>

#include "uart_internal.h"

struct uart_image {
	uint8_t fifo[HATCH_UART_FIFO]; /* all of it: an empty receiver shows its last byte */
	uint8_t first, count;
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	uint8_t transmitted, overrun; /* each 0 or 1 */
	uint8_t reserved[4];	      /* 0 */
};

static void save_registers(const struct hatch_uart *uart, struct uart_image *image)
{
	memcpy(image->fifo, uart->fifo, sizeof(image->fifo));
	image->first = uart->first;
	image->count = uart->count;
	image->ier = uart->ier;
	image->fcr = uart->fcr;
	image->lcr = uart->lcr;
	image->mcr = uart->mcr;
	image->msr = uart->msr;
	image->scr = uart->scr;
	image->dll = uart->dll;
	image->dlm = uart->dlm;
	image->transmitted = uart->transmitted;
	image->overrun = uart->overrun;
}

static void save(void *arg, void *to)
{
	struct hatch_uart *uart = arg;

	memset(to, 0, sizeof(struct uart_image));
	hatch_lock_acquire(&uart->lock);
	save_registers(uart, to);
	hatch_lock_release(&uart->lock);
}

static bool is_fcr(uint8_t fcr)
{
	return !fcr || (fcr & FCR_ENABLE && !(fcr & ~FCR_KEPT));
}

static bool is_possible(const struct uart_image *image)
{
	static const uint8_t zero[sizeof(image->reserved)];

	return image->first < HATCH_UART_FIFO && is_fcr(image->fcr) &&
	       image->count <= hatch_uart_capacity(image->fcr) && !(image->ier & ~IER_ALL) &&
	       !(image->mcr & ~MCR_ALL) &&
	       (image->msr & MSR_LINES) == hatch_uart_modem_lines(image->mcr) &&
	       image->transmitted <= 1 && image->overrun <= 1 &&
	       !memcmp(image->reserved, zero, sizeof(zero));
}

static void restore_registers(struct hatch_uart *uart, const struct uart_image *image)
{
	memcpy(uart->fifo, image->fifo, sizeof(uart->fifo));
	uart->first = image->first;
	uart->count = image->count;
	uart->ier = image->ier;
	uart->fcr = image->fcr;
	uart->lcr = image->lcr;
	uart->mcr = image->mcr;
	uart->msr = image->msr;
	uart->scr = image->scr;
	uart->dll = image->dll;
	uart->dlm = image->dlm;
	uart->transmitted = image->transmitted;
	uart->overrun = image->overrun;
}

/* Neither `write` nor `drained` is told: the guest does nothing now. */
static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	struct hatch_uart *uart = arg;

	(void)vcpu;
	if (!is_possible(from))
		return HATCH_EFORMAT;
	hatch_lock_acquire(&uart->lock);
	restore_registers(uart, from);
	hatch_uart_tell_line(uart);
	hatch_lock_release(&uart->lock);
	return HATCH_OK;
}

void hatch_uart_state_init(struct hatch_uart *uart)
{
	uart->state = (struct hatch_state){
		.name = "uart",
		.version = 1,
		.size = sizeof(struct uart_image),
		.save = save,
		.restore = restore,
		.arg = uart,
	};
}
