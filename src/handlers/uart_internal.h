/* SPDX-License-Identifier: MIT */
/*
 * What the files of the serial port share: the bits of the registers that a state must be checked
 * against, too.
 */
#ifndef HATCH_SRC_UART_INTERNAL_H
#define HATCH_SRC_UART_INTERNAL_H

#include <hatch/handlers/uart.h>

enum ier {
	IER_RDI = 0x01,	 /* received data */
	IER_THRI = 0x02, /* transmitter empty */
	IER_RLSI = 0x04, /* receiver line status */
	IER_MSI = 0x08,	 /* modem status */
	IER_ALL = 0x0f,
};

enum fcr {
	FCR_ENABLE = 0x01,
	FCR_CLEAR_RX = 0x02,
	FCR_KEPT = 0xc9, /* trigger level, DMA mode, enable; the rest acts once */
	FCR_TRIGGER_SHIFT = 6,
};

enum mcr {
	MCR_DTR = 0x01,
	MCR_RTS = 0x02,
	MCR_OUT1 = 0x04,
	MCR_OUT2 = 0x08,
	MCR_LOOP = 0x10,
	MCR_ALL = 0x1f,
};

/* The upper half tells the lines, the lower half which of them changed since the last read. */
enum msr {
	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RI = 0x40,
	MSR_DCD = 0x80,
	MSR_DELTAS = 0x0f,
	MSR_LINES = 0xf0,
};

/* Bytes that can wait for the guest. */
static inline unsigned int hatch_uart_capacity(uint8_t fcr)
{
	return fcr & FCR_ENABLE ? HATCH_UART_FIFO : 1;
}

/* In loopback the outputs are the inputs; otherwise a modem is there and always ready. */
static inline uint8_t hatch_uart_modem_lines(uint8_t mcr)
{
	if (!(mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/*
 * With the lock: works out the level of the interrupt line and tells the sink, also what it knows
 * already.
 */
void hatch_uart_tell_line(struct hatch_uart *uart);

/* Fills uart->state. */
void hatch_uart_state_init(struct hatch_uart *uart);

#endif
