/* SPDX-License-Identifier: MIT */
/*
 * The stock devices under four harts at once: what each promises of its registers and its wires
 * holds whatever they do.
 */
#include "smp_threads.h"

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/plic.h>
#include <hatch/handlers/rtc.h>
#include <hatch/handlers/uart.h>

enum { SOURCES = 40, STEPS = 20000, STREAM = 20000 };

/* ---- The interrupt controller: thread i is context i ---- */

static struct hatch_plic plic;
static bool output[THREADS]; /* as the sink heard; the PLIC's lock is what guards it */
static unsigned int claimed[SOURCES + 1];

static void on_output(void *arg, unsigned int context, bool level)
{
	CHECK(arg == &plic);
	CHECK(output[context] != level);
	output[context] = level;
}

static uint64_t enable_of(unsigned int context, unsigned int source)
{
	return 0x2000 + 0x80 * context + source / 32 * 4;
}

/* A source is in service for one context at a time. */
static unsigned int claim(unsigned int context)
{
	unsigned int source = (unsigned int)smp_load(&plic.clause, 0x200004 + 0x1000 * context, 4);

	CHECK(source <= SOURCES);
	if (source)
		CHECK(__atomic_fetch_add(&claimed[source], 1, __ATOMIC_RELAXED) == 0);
	return source;
}

static void complete(unsigned int context, unsigned int source)
{
	if (!source)
		return;
	/* The completion of a source that is not enabled would be ignored. */
	smp_store(&plic.clause, enable_of(context, source), 4, UINT32_MAX);
	CHECK(__atomic_fetch_sub(&claimed[source], 1, __ATOMIC_RELAXED) == 1);
	smp_store(&plic.clause, 0x200004 + 0x1000 * context, 4, source);
}

static void use_plic(struct smp_thread *self)
{
	unsigned int held = 0, me = self->number;

	for (unsigned int i = 0; i < STEPS; i++) {
		uint32_t value = smp_random(self);

		switch (smp_random(self) % 8) {
		case 0:
			smp_store(&plic.clause, enable_of(me, value % SOURCES), 4, value);
			break;
		case 1:
			smp_store(&plic.clause, 0x200000 + 0x1000 * me, 4, value % 4);
			break;
		case 2:
			smp_store(&plic.clause, value % (SOURCES + 2) * 4, 4, value >> 8);
			break;
		case 3:
			CHECK(smp_load(&plic.clause, 0x1004, 4) >> (SOURCES - 31) == 0);
			break;
		case 4:
			held = held ? held : claim(me);
			break;
		case 5:
			complete(me, held);
			held = 0;
			break;
		default:
			hatch_plic_set(&plic, value % (SOURCES + 2), value >> 16 & 1);
		}
	}
	complete(me, held);
}

static bool bit(const uint32_t *set, unsigned int n)
{
	return set[n / 32] >> n % 32 & 1;
}

static bool is_output(unsigned int context)
{
	for (unsigned int source = 1; source <= SOURCES; source++)
		if (bit(plic.pending, source) && bit(plic.context[context].enable, source) &&
		    plic.priority[source] > plic.context[context].threshold)
			return true;
	return false;
}

static void test_plic(void **state)
{
	unsigned int pending = 0;

	(void)state;
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(0xc000000), SOURCES, THREADS), 0);
	plic.output = on_output;
	plic.arg = &plic;
	smp_run(use_plic, 1);
	for (unsigned int source = 0; source <= SOURCES; source++) {
		assert_int_equal(claimed[source], 0);
		assert_false(bit(plic.service, source)); /* all was completed */
		assert_true(bit(plic.pending, source) || !bit(plic.level, source));
		pending += bit(plic.pending, source);
	}
	assert_in_range(pending, 1, SOURCES);
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(output[i], is_output(i));
		assert_int_equal(plic.context[i].output, output[i]);
	}
}

/* ---- The serial port ---- */

static struct hatch_uart uart;
static bool uart_level;	  /* as the sink heard: the port's lock guards it */
static unsigned int sent; /* likewise */
static pthread_mutex_t producer = PTHREAD_MUTEX_INITIALIZER;
static uint32_t produced; /* bytes that were given to the port; `producer` guards it */

static void on_line(void *arg, bool level)
{
	CHECK(*(bool *)arg != level);
	*(bool *)arg = level;
}

static void on_write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	sent += (unsigned int)size;
}

/* The machine does it so: whoever has a byte fills the port, one at a time. */
static void fill(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&producer);
	while (produced < STREAM && hatch_uart_room(&uart)) {
		CHECK(hatch_uart_receive(&uart, &(uint8_t){ (uint8_t)produced }, 1) == 1);
		produced++;
	}
	pthread_mutex_unlock(&producer);
}

static void begin_uart(void)
{
	hatch_uart_init(&uart, hatch_gpa_of(0x10000000));
	uart.write = on_write;
	uart.drained = fill;
	uart.line = on_line;
	uart.line_arg = &uart_level;
	uart_level = false;
	sent = 0;
}

/* One reads; two give; the last one is at the other registers. */
static void stream(struct smp_thread *self)
{
	static const uint8_t others[] = { 2, 6, 7 };

	for (uint32_t i = 0; i < STREAM; i++) {
		if (self->number == 0) {
			while (!(smp_load(&uart.clause, 5, 1) & 1))
				;
			CHECK(smp_load(&uart.clause, 0, 1) == (i & 0xff));
		} else if (self->number < 3) {
			fill(NULL);
		} else {
			smp_store(&uart.clause, 0, 1, i);
			smp_store(&uart.clause, 1, 1, smp_random(self));
			smp_load(&uart.clause, others[smp_random(self) % 3], 1);
		}
	}
}

static void test_uart_stream(void **state)
{
	(void)state;
	begin_uart();
	smp_store(&uart.clause, 2, 1, 1);
	smp_run(stream, 2);
	assert_int_equal(produced, STREAM);
	assert_int_equal(sent, STREAM);
	assert_int_equal(uart.count, 0);
	assert_false(uart.overrun);
}

static void use_uart(struct smp_thread *self)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		uint8_t bytes[3] = { 0 };

		switch (smp_random(self) % 4) {
		case 0:
			smp_store(&uart.clause, smp_random(self) % 8, 1, smp_random(self));
			break;
		case 1:
			CHECK(hatch_uart_receive(&uart, bytes, 3) <= 3);
			break;
		case 2:
			CHECK(hatch_uart_room(&uart) <= HATCH_UART_FIFO);
			break;
		default:
			smp_load(&uart.clause, smp_random(self) % 8, 1);
		}
	}
}

static void test_uart_chaos(void **state)
{
	(void)state;
	begin_uart();
	smp_run(use_uart, 3);
	assert_in_range(uart.count, 0, uart.fcr & 1 ? HATCH_UART_FIFO : 1);
	assert_in_range(uart.first, 0, HATCH_UART_FIFO - 1);
	assert_int_equal(uart.level, uart_level);
	assert_int_equal(uart_level, !(smp_load(&uart.clause, 2, 1) & 1));
	assert_true(sent);
}

/* ---- The clock ---- */

static struct hatch_rtc rtc;
static uint64_t now_ns, armed_ns; /* the second: the clock's lock guards it */
static bool rtc_level;

static uint64_t on_now(void *arg)
{
	(void)arg;
	return __atomic_add_fetch(&now_ns, 1, __ATOMIC_RELAXED);
}

static void on_arm(void *arg, struct hatch_vcpu *vcpu, uint64_t ns)
{
	(void)arg;
	(void)vcpu;
	armed_ns = ns;
}

static void use_rtc(struct smp_thread *self)
{
	for (unsigned int i = 0; i < STEPS; i++) {
		uint64_t reg = smp_random(self) % 8 * 4;

		switch (smp_random(self) % 4) {
		case 0:
			hatch_rtc_poll(&rtc);
			break;
		case 1:
			smp_store(&rtc.clause, reg, 4, reg % 8 ? 0 : smp_random(self) % STEPS);
			break;
		case 2:
			smp_store(&rtc.clause, 0x10, 4, 1);
			break;
		default:
			smp_load(&rtc.clause, reg, 4);
		}
	}
}

static void test_rtc(void **state)
{
	(void)state;
	hatch_rtc_init(&rtc, hatch_gpa_of(0x101000));
	rtc.now = on_now;
	rtc.arm = on_arm;
	rtc.line = on_line;
	rtc.line_arg = &rtc_level;
	smp_run(use_rtc, 4);
	assert_int_equal(rtc.level, rtc.rung && rtc.enabled);
	assert_int_equal(rtc.level, rtc_level);
	assert_true(rtc.armed || armed_ns == HATCH_RTC_NEVER || rtc.rung);
	/* It still works. */
	smp_store(&rtc.clause, 0x10, 4, 1);
	smp_store(&rtc.clause, 0x14, 4, 0);
	smp_store(&rtc.clause, 0x1c, 4, 0);
	assert_false(rtc_level);
	smp_store(&rtc.clause, 0x0c, 4, 0);
	smp_store(&rtc.clause, 0x08, 4, 0);
	assert_true(rtc_level);
}

/* ---- The finisher ---- */

static struct hatch_finisher finisher;

static void use_finisher(struct smp_thread *self)
{
	static const uint32_t words[THREADS] = { 0x5555, 0x00013333, 0x00023333, 0x7777 };
	struct hatch_event ev = { .kind = HATCH_MMIO, .length = 4 };
	struct hatch_cont k = { .verdict = HATCH_PASS };

	ev.mmio.width = 4;
	ev.mmio.write = true;
	ev.mmio.value = words[self->number];
	CHECK(finisher.clause.handler(&finisher, &ev, &k) == HATCH_UNWIND && k.finished);
}

/* One of the four is heard, whole. */
static void test_finisher(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		hatch_finisher_init(&finisher, hatch_gpa_of(0x100000));
		smp_run(use_finisher, round);
		assert_in_range(finisher.request, HATCH_FINISHER_PASS, HATCH_FINISHER_RESET);
		if (finisher.request == HATCH_FINISHER_FAIL)
			assert_in_range(finisher.code, 1, 2);
		else
			assert_int_equal(finisher.code, 0);
	}
}

/* ---- Scopes ---- */

static struct hatch_scope scope;
static struct hatch_catch clauses[32];

static enum hatch_verdict ignore(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_resume(k, 0);
}

static void use_scope(struct smp_thread *self)
{
	for (unsigned int i = 0; i < 50; i++) {
		struct hatch_event ev = { .kind = HATCH_HYPERCALL };
		unsigned int wanted = smp_random(self) % 32;

		ev.hypercall.extension = 100 + wanted;
		hatch_scope_seal(&scope);
		CHECK(hatch_scope_find(&scope, &ev) == &clauses[wanted]);
		hatch_scope_unseal(&scope);
	}
}

/* Whoever comes first builds the tables; the others find them whole. */
static void test_scope(void **state)
{
	(void)state;
	hatch_scope_init(&scope, "shared", NULL);
	for (unsigned int i = 0; i < 32; i++) {
		clauses[i] = HATCH_ON_HYPERCALL(100 + i, ignore, NULL);
		assert_int_equal(hatch_catch_add(&scope, &clauses[i]), 0);
	}
	for (unsigned int round = 0; round < 200; round++) {
		struct hatch_catch *one = &clauses[round % 32];

		assert_int_equal(hatch_catch_remove(&scope, one), 0);
		assert_int_equal(hatch_catch_add(&scope, one), 0);
		smp_run(use_scope, round);
		assert_int_equal(scope.sealed, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plic),	   cmocka_unit_test(test_uart_stream),
		cmocka_unit_test(test_uart_chaos), cmocka_unit_test(test_rtc),
		cmocka_unit_test(test_finisher),   cmocka_unit_test(test_scope),
	};

	return cmocka_run_group_tests_name("smp_devices", tests, NULL, NULL);
}
