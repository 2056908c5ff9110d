/* SPDX-License-Identifier: MIT */
/*
 * The console: the machine's 16550 UART, polled. Before it is found, and on a machine without
 * one, bytes go through the firmware.
 */
#include <string.h>

#include "virt.h"

/* 16550 registers: bytes from the base */
#define UART_DATA	       0 /* RBR when read, THR when written */
#define UART_IER	       1
#define UART_FCR	       2
#define UART_LSR	       5

#define IER_RX_DATA	       0x01
#define FCR_ENABLE	       0x07 /* FIFOs on and emptied, an interrupt for every byte */
#define LSR_RX_DATA	       0x01
#define LSR_TX_IDLE	       0x20
#define TX_FIFO		       16

#define SBI_EID_LEGACY_PUTCHAR 0x01

/* Guards the UART's registers and `room`: bytes that its transmit FIFO surely takes. */
static struct hatch_lock console;
static uintptr_t uart;
static unsigned int room;

/* The hart that speaks alone, and takes the lock for its own already; or NULL. */
static const struct virt_hart *speaker;

/* How often a hart that is about to speak alone looks whether the others have finished. */
#define PATIENCE (1u << 20)

void virt_console_init(void)
{
	uart = virt_tree_device("ns16550a");
	if (!uart)
		return;
	virt_write8(uart + UART_IER, 0);
	virt_write8(uart + UART_FCR, FCR_ENABLE);
}

/* Who writes just now is done in a moment, unless it is the hart that died. */
void virt_console_seize(void)
{
	for (unsigned int left = PATIENCE; left; left--)
		if (!__atomic_exchange_n(&console.held, 1, __ATOMIC_ACQUIRE))
			break;
	speaker = virt_hart_this();
}

static void lock(void)
{
	if (speaker != virt_hart_this())
		hatch_lock_acquire(&console);
}

static void unlock(void)
{
	if (speaker != virt_hart_this())
		hatch_lock_release(&console);
}

/* The status register is asked once for a whole FIFO, not once for each byte. */
static void put(uint8_t byte)
{
	if (!uart) {
		virt_sbi(SBI_EID_LEGACY_PUTCHAR, 0, byte, 0, 0);
		return;
	}
	if (!room) {
		while (!(virt_read8(uart + UART_LSR) & LSR_TX_IDLE))
			;
		room = TX_FIFO;
	}
	virt_write8(uart + UART_DATA, byte);
	room--;
}

void hatch_board_console_write(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	lock();
	while (size--)
		put(*p++);
	unlock();
}

void virt_console_puts(const char *text)
{
	for (size_t line; *text; text += line + (text[line] == '\n')) {
		line = strcspn(text, "\n");
		hatch_board_console_write(text, line);
		if (text[line])
			hatch_board_console_write("\r\n", 2);
	}
}

int hatch_board_console_read(void)
{
	int byte = -1;

	if (!uart)
		return -1;
	lock();
	if (virt_read8(uart + UART_LSR) & LSR_RX_DATA)
		byte = virt_read8(uart + UART_DATA);
	unlock();
	return byte;
}

/* Turned on while a byte waits, the UART raises its interrupt at once. */
void virt_console_rx_interrupt(bool on)
{
	if (!uart)
		return;
	lock();
	virt_write8(uart + UART_IER, on ? IER_RX_DATA : 0);
	unlock();
}
