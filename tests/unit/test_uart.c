/* SPDX-License-Identifier: MIT */
#include "device_bus.h"

#include <hatch/handlers/uart.h>

enum { PASTE = 65536, STEPS = 60000 };

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct hatch_uart uart;
static uint8_t sent[PASTE];
static size_t sent_size;
static bool level;
static unsigned int drains;

static void on_write(void *arg, const void *bytes, size_t size)
{
	assert_ptr_equal(arg, &uart);
	if (sent_size + size <= sizeof(sent))
		memcpy(sent + sent_size, bytes, size);
	sent_size += size;
}

static void on_line(void *arg, bool now)
{
	assert_ptr_equal(arg, &level);
	assert_int_not_equal(level, now); /* changes only */
	level = now;
}

static void on_drained(void *arg)
{
	assert_ptr_equal(arg, &uart);
	assert_int_not_equal(hatch_uart_room(&uart), 0);
	drains++;
}

static int setup(void **state)
{
	(void)state;
	hatch_uart_init(&uart, hatch_gpa_of(0x10000000));
	uart.write = on_write;
	uart.drained = on_drained;
	uart.arg = &uart;
	uart.line = on_line;
	uart.line_arg = &level;
	level = false;
	sent_size = 0;
	drains = 0;
	return 0;
}

static uint8_t in(uint64_t reg)
{
	return (uint8_t)bus_load(&uart.clause, reg, 1);
}

static void out(uint64_t reg, uint8_t value)
{
	bus_store(&uart.clause, reg, 1, value);
}

static size_t receive(const char *text)
{
	return hatch_uart_receive(&uart, (const uint8_t *)text, strlen(text));
}

static void test_reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(in(LSR), 0x60);
		assert_int_equal(in(LCR), 0x03);
		assert_int_equal(in(IER) | in(MCR) | in(SCR), 0x00);
		assert_int_equal(in(IIR), 0x01);
		out(LCR, 0x83);
		assert_int_equal(in(RBR), 0x01);
		assert_int_equal(in(IER), 0x00);
		out(IER, 0x11);
		out(LCR, 0x03);
		out(IIR, 0x01);
		out(IER, 0x0f);
		out(MCR, 0x1f);
		out(SCR, 0xff);
		assert_true(level);
		hatch_uart_reset(&uart);
		assert_false(level);
	}
}

static void test_send(void **state)
{
	(void)state;
	for (const char *c = "hatch\n"; *c; c++)
		out(RBR, (uint8_t)*c);
	assert_int_equal(sent_size, 6);
	assert_memory_equal(sent, "hatch\n", 6);
	uart.write = NULL;
	out(RBR, 'x');
	assert_int_equal(sent_size, 6);
}

static void test_receive_without_fifo(void **state)
{
	(void)state;
	assert_int_equal(hatch_uart_room(&uart), 1);
	assert_int_equal(receive("a"), 1);
	assert_int_equal(hatch_uart_room(&uart), 0);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(receive("b"), 0);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61); /* the overrun was told */
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(drains, 1);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(in(RBR), 'a');
	assert_int_equal(drains, 1);
	/* The overrun interrupts before the byte does. */
	out(IER, 0x05);
	receive("ab");
	assert_int_equal(in(IIR), 0x06);
	in(LSR);
	assert_int_equal(in(IIR), 0x04);
	in(RBR);
	assert_false(level);
}

static void test_fifo(void **state)
{
	(void)state;
	out(IIR, 0x01);
	assert_int_equal(in(IIR), 0xc1);
	assert_int_equal(hatch_uart_room(&uart), 16);
	assert_int_equal(receive("0123456789abcdefgh"), 16);
	assert_int_equal(in(LSR), 0x63);
	for (const char *c = "0123456789abcdef"; *c; c++) {
		assert_int_equal(drains, 0);
		assert_int_equal(in(RBR), *c);
	}
	assert_int_equal(drains, 1);
	/* Wraps around, cleared by the bit that clears, by turning FIFOs off and by a reset. */
	assert_int_equal(receive("xyz"), 3);
	assert_int_equal(in(RBR), 'x');
	out(IIR, 0x03);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(receive("xyz"), 3);
	out(IIR, 0x00);
	assert_int_equal(in(LSR), 0x60);
	assert_int_equal(hatch_uart_room(&uart), 1);
	assert_int_equal(drains, 3);
	/* Without the enabling bit the others say nothing; with it again, nothing is cleared. */
	out(IIR, 0xc0);
	out(IER, 0x01);
	receive("q");
	assert_int_equal(in(IIR), 0x04);
	in(RBR);
	out(IIR, 0x01);
	receive("rs");
	out(IIR, 0x41);
	assert_int_equal(in(IIR), 0xcc);
	assert_int_equal(in(RBR), 'r');
	drains = 3;
	hatch_uart_reset(&uart);
	assert_int_equal(drains, 4);
	assert_int_equal(in(LSR), 0x60);
}

static void test_receive_interrupt(void **state)
{
	static const uint8_t trigger[] = { 1, 4, 8, 14 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		out(IIR, (uint8_t)(0x03 | i << 6));
		out(IER, 0x01);
		for (unsigned int n = 1; n <= 16; n++) {
			assert_int_equal(level, n > 1);
			receive("x");
			assert_true(level);
			assert_int_equal(in(IIR), n < trigger[i] ? 0xcc : 0xc4);
		}
		while (in(LSR)&1)
			in(RBR);
		assert_false(level);
		assert_int_equal(in(IIR), 0xc1);
	}
}

static void test_transmit_interrupt(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_true(level);
	out(IER, 0x00);
	assert_false(level);
	out(RBR, 'x');
	assert_false(level);
	/* Enabling it tells that the transmitter is empty; reading IIR takes that back. */
	out(IER, 0x02);
	assert_true(level);
	assert_int_equal(in(IIR), 0x02);
	assert_false(level);
	assert_int_equal(in(IIR), 0x01);
	out(IER, 0x02);
	assert_false(level);
	out(RBR, 'y');
	assert_true(level);
	out(IER, 0x00);
	out(IER, 0x02);
	assert_int_equal(in(IIR), 0x02);
	/* A cause of higher priority leaves it pending. */
	out(RBR, 'z');
	out(IER, 0x03);
	receive("a");
	assert_int_equal(in(IIR), 0x04);
	in(RBR);
	assert_true(level);
	assert_int_equal(in(IIR), 0x02);
	assert_false(level);
}

/* The steps by which drivers find out what kind of port it is. */
static void test_probe(void **state)
{
	(void)state;
	out(IER, 0xf0);
	assert_int_equal(in(IER), 0x00);
	out(SCR, 0x5a);
	assert_int_equal(in(SCR), 0x5a);
	out(MCR, 0xff);
	assert_int_equal(in(MCR), 0x1f);
	out(MCR, 0x1a); /* loop, OUT2, RTS: seen as DCD and CTS */
	assert_int_equal(in(MSR)&0xf0, 0x90);
	out(MCR, 0x00);
	assert_int_equal(in(MSR)&0xf0, 0xb0);
	out(LCR, 0xbf); /* no enhanced registers behind this */
	assert_int_not_equal(in(IIR), 0x00);
	out(LCR, 0x83);
	out(RBR, 0x12);
	out(IER, 0x34);
	assert_int_equal(in(RBR), 0x12);
	assert_int_equal(in(IER), 0x34);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0x00);
	assert_int_equal(sent_size, 0);
	out(IIR, 0xe7); /* a 64-byte FIFO would show in bit 5 */
	assert_int_equal(in(IIR), 0xc1);
	out(LSR, 0xff);
	assert_int_equal(in(LSR), 0x60);
}

static void test_loopback(void **state)
{
	(void)state;
	out(IIR, 0x01);
	out(MCR, 0x10);
	assert_int_equal(hatch_uart_room(&uart), 0);
	assert_int_equal(receive("lost"), 0);
	out(RBR, 'l');
	assert_int_equal(sent_size, 0);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(RBR), 'l');
	assert_int_equal(drains, 0); /* no room for the outside yet */
	for (unsigned int i = 0; i < 17; i++)
		out(RBR, 'l');
	assert_int_equal(in(LSR), 0x63);
	out(IIR, 0x03);
	out(MCR, 0x00);
	assert_int_equal(drains, 1);
	assert_int_equal(hatch_uart_room(&uart), 16);
}

static void test_modem_status(void **state)
{
	(void)state;
	assert_int_equal(in(MSR), 0xb0);
	out(MCR, 0x10); /* in loopback nothing is ready: three lines fell */
	assert_int_equal(in(MSR), 0x0b);
	assert_int_equal(in(MSR), 0x00);
	out(IER, 0x08);
	out(MCR, 0x14); /* the ring indicator tells its end only */
	assert_false(level);
	assert_int_equal(in(MSR), 0x40);
	out(MCR, 0x10);
	assert_true(level);
	assert_int_equal(in(IIR), 0x00);
	assert_int_equal(in(MSR), 0x04);
	out(MCR, 0x11);
	assert_int_equal(in(MSR), 0x22);
	out(MCR, 0x1b);
	assert_int_equal(in(MSR), 0xb9);
}

static void test_reserved(void **state)
{
	(void)state;
	for (uint64_t offset = 8; offset < HATCH_UART_SIZE; offset++) {
		out(offset, 0xff);
		assert_int_equal(in(offset), 0);
	}
	bus_expect_width(&uart.clause, HATCH_UART_SIZE, 1);
	assert_int_equal(sent_size, 0);
}

/* ---- A long paste ---- */

#define PASTE_BYTE(i) ((uint8_t)((i)*7 + (i) / 251))

static size_t pasted;

/* The console's side: hands over as many bytes as there is room for. */
static void refill(void *arg)
{
	uint8_t bytes[HATCH_UART_FIFO];
	size_t room = hatch_uart_room(arg), n = 0;

	for (; n < room && pasted < PASTE; pasted++)
		bytes[n++] = PASTE_BYTE(pasted);
	assert_int_equal(hatch_uart_receive(arg, bytes, n), n);
}

/* A driver that reads on every interrupt while there are bytes, and echoes. */
static void paste_and_echo(uint8_t fcr)
{
	setup(NULL);
	out(IIR, fcr);
	out(IER, 0x01);
	pasted = 0;
	uart.drained = refill;
	refill(&uart);
	while (level) {
		assert_int_equal(in(IIR)&0x04, 0x04);
		while (in(LSR)&1)
			out(RBR, in(RBR));
	}
	assert_int_equal(pasted, PASTE);
	assert_int_equal(sent_size, PASTE);
	for (size_t i = 0; i < PASTE; i++)
		assert_int_equal(sent[i], PASTE_BYTE(i));
}

static void test_paste(void **state)
{
	(void)state;
	paste_and_echo(0x00);
	paste_and_echo(0x81);
}

/* ---- Abuse ---- */

static void check_invariants(void)
{
	unsigned int capacity = uart.fcr & 1 ? 16 : 1;
	bool cause = (uart.ier & 1 && uart.count) || (uart.ier & 2 && uart.transmitted) ||
		     (uart.ier & 4 && uart.overrun) || (uart.ier & 8 && uart.msr & 0x0f);

	assert_true(uart.count <= capacity && uart.first < HATCH_UART_FIFO);
	assert_int_equal(hatch_uart_room(&uart), uart.mcr & 0x10 ? 0 : capacity - uart.count);
	assert_int_equal(uart.ier & ~0x0f, 0);
	assert_int_equal(level, cause);
	assert_int_equal(uart.level, cause);
}

static void test_abuse(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned int i = 0; i < STEPS; i++) {
		uint64_t offset = bus_random(&seed) % (bus_random(&seed) % 4 ? 8 : HATCH_UART_SIZE);
		unsigned int width = bus_random(&seed) % 8 ? 1 : 1U << bus_random(&seed) % 4;

		bus_access(&uart.clause, offset, width, bus_random(&seed) & 1, bus_random(&seed));
		check_invariants();
		if (bus_random(&seed) % 4 == 0)
			hatch_uart_receive(&uart, sent, bus_random(&seed) % 20);
		check_invariants();
	}
	assert_true(sent_size > 100 && drains > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset, setup),
		cmocka_unit_test_setup(test_send, setup),
		cmocka_unit_test_setup(test_receive_without_fifo, setup),
		cmocka_unit_test_setup(test_fifo, setup),
		cmocka_unit_test_setup(test_receive_interrupt, setup),
		cmocka_unit_test_setup(test_transmit_interrupt, setup),
		cmocka_unit_test_setup(test_probe, setup),
		cmocka_unit_test_setup(test_loopback, setup),
		cmocka_unit_test_setup(test_modem_status, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_paste, setup),
		cmocka_unit_test_setup(test_abuse, setup),
	};

	return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
