/* SPDX-License-Identifier: MIT */
/*
 * A 16550A serial port, as a clause.
 *
 * Registers of one byte, next to each other; other widths are access faults. What the guest sends
 * goes out at once, so the transmitter is always empty. The user hands over received bytes as
 * there is room: nothing is lost or doubled.
 *
 *	void on_console(void)                   the host's console has bytes, or the port drained
 *	{
 *		while (hatch_uart_room(&uart) && (c = console_read()) >= 0)
 *			hatch_uart_receive(&uart, &(uint8_t){ c }, 1);
 *		console_interrupt(hatch_uart_room(&uart) != 0);
 *	}
 */
#ifndef HATCH_HANDLERS_UART_H
#define HATCH_HANDLERS_UART_H

#include <hatch/catch.h>
#include <hatch/lock.h>

#define HATCH_UART_SIZE	 0x100	 /* bytes of guest-physical address space */
#define HATCH_UART_FIFO	 16	 /* bytes that wait for the guest at most */
#define HATCH_UART_CLOCK 3686400 /* Hz: what the device tree says; no baud rate slows us down */

/*
 * The user owns it and fills the sinks after hatch_uart_init; each may be NULL. `lock` guards all
 * but the sinks, taken by the clause, the state and the functions below: bytes come on any hart.
 * `write` and `line` are called with it held, so that what they hear is in order: they call nothing
 * of the port. `drained` is called without.
 * Invariants: the FIFO holds `count` bytes from `first` on, at most one while FIFOs are off;
 * `level` is high exactly if an enabled interrupt has a cause.
 */
struct hatch_uart {
	/* The guest sent bytes. */
	void (*write)(void *arg, const void *bytes, size_t size);
	/*
	 * The guest has taken the last byte that was received, or threw it away: there is room, or
	 * was a moment ago. The sink may call hatch_uart_room and hatch_uart_receive.
	 */
	void (*drained)(void *arg);
	void *arg;
	/* The interrupt line changes. */
	void (*line)(void *arg, bool level);
	void *line_arg;

	struct hatch_lock lock;
	uint8_t fifo[HATCH_UART_FIFO];
	uint8_t first, count;
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	bool transmitted; /* the transmitter became empty, and the guest does not know yet */
	bool overrun;
	bool level;
	bool emptied; /* while the lock is held: `drained` is to be told when it is free */
	struct hatch_catch clause;
	/*
	 * The registers and the bytes that wait. When they are put back, `line` is told its level
	 * anew; nothing is written or received.
	 */
	struct hatch_state state;
};

/*
 * A port after reset at guest-physical `base`. Add uart->clause to a scope, and uart->state if the
 * guest may be cloned, rolled back or saved.
 */
void hatch_uart_init(struct hatch_uart *uart, hatch_gpa base);

/* As after power-on; bytes that wait are lost. Call it when the guest is restarted. */
void hatch_uart_reset(struct hatch_uart *uart);

/* How many bytes can be received now. 0 while the guest has the port in loopback. */
size_t hatch_uart_room(struct hatch_uart *uart);

/*
 * Bytes arrive for the guest. Returns how many were taken: what exceeds hatch_uart_room is lost, as
 * on a wire, and the guest is told of an overrun. The room can shrink between the two calls if
 * another hart of the guest reprograms the port; it does not otherwise, as long as one hart of the
 * host at a time asks and receives.
 */
size_t hatch_uart_receive(struct hatch_uart *uart, const uint8_t *bytes, size_t size);

/*
 * Writes the node into a tree that is being written with libfdt's sequential calls, within a bus
 * node of two address and two size cells. The port interrupts as `source` of the interrupt
 * controller with phandle `parent`. Errors: those of libfdt (negative).
 */
int hatch_uart_fdt(const struct hatch_uart *uart, void *fdt, uint32_t parent, uint32_t source);

#endif
