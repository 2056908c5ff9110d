/* SPDX-License-Identifier: MIT */
/*
 * For tests of states: the stock devices, sinks that count, a guest that uses them at random, and
 * what they saved.
 */
#ifndef STATES_DEVICES_H
#define STATES_DEVICES_H

#include "device_bus.h"
#include "sbi_fake.h"

#include <hatch/handlers/finisher.h>
#include <hatch/handlers/plic.h>
#include <hatch/handlers/rtc.h>
#include <hatch/handlers/uart.h>

enum { SOURCES = 70, CONTEXTS = 4, ROOM = 1024 };

static struct hatch_plic plic;
static struct hatch_uart uart;
static struct hatch_rtc rtc;
static struct hatch_finisher finisher;

/* ---- The sinks ---- */

static bool line_level;
static bool outputs[CONTEXTS];
static uint64_t now_ns, armed_ns;
static unsigned int told; /* how often any sink was */

static inline void on_line(void *arg, bool level)
{
	told++;
	*(bool *)arg = level;
}

static inline void on_output(void *arg, unsigned int context, bool level)
{
	(void)arg;
	told++;
	outputs[context] = level;
}

/* What a restore must not do. */
static unsigned int outside;

static inline void on_write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	outside += (unsigned int)size;
}

static inline void on_drained(void *arg)
{
	(void)arg;
	outside++;
}

static inline uint64_t on_now(void *arg)
{
	(void)arg;
	return now_ns;
}

static inline void on_arm(void *arg, struct hatch_vcpu *v, uint64_t ns)
{
	(void)arg;
	(void)v;
	told++;
	armed_ns = ns;
}

/* ---- The devices ---- */

/* What the guest was answered since the last look. */
static uint64_t answers;

static inline void answered(uint64_t value)
{
	answers = (answers ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline void use_plic(uint64_t *seed)
{
	static const uint32_t places[] = { 0x1000, 0x1008, 0x200000, 0x201004, 0x202000, 0x203004 };
	uint32_t place = places[bus_random(seed) % 6], value = bus_random(seed);

	switch (bus_random(seed) % 6) {
	case 0:
		bus_store(&plic.clause, bus_random(seed) % 80 * 4, 4, value);
		break;
	case 1:
		bus_store(&plic.clause, 0x2000 + value % 5 * 0x80 + value % 4 * 4, 4, value);
		break;
	case 2:
		bus_store(&plic.clause, place, 4, place & 4 ? value % 80 : value);
		break;
	case 3:
		hatch_plic_set(&plic, value % 80, value & 0x100);
		break;
	default:
		answered(bus_load(&plic.clause, place, 4));
	}
	for (unsigned int i = 0; i < CONTEXTS; i++)
		answered(outputs[i]);
}

static inline void use_uart(uint64_t *seed)
{
	uint64_t reg = bus_random(seed) % 8;
	uint8_t byte = (uint8_t)bus_random(seed);

	switch (bus_random(seed) % 4) {
	case 0:
		bus_store(&uart.clause, reg, 1, byte);
		break;
	case 1:
		answered(hatch_uart_receive(&uart, &byte, 1));
		break;
	default:
		answered(bus_load(&uart.clause, reg, 1));
	}
	answered(line_level);
}

static inline void use_rtc(uint64_t *seed)
{
	uint64_t reg = bus_random(seed) % 8 * 4;

	now_ns += bus_random(seed) % 1000;
	switch (bus_random(seed) % 3) {
	case 0:
		bus_store(&rtc.clause, reg, 4,
			  reg == 8 ? (uint32_t)now_ns + bus_random(seed) % 3000 : bus_random(seed));
		break;
	case 1:
		hatch_rtc_poll(&rtc);
		break;
	default:
		answered(bus_load(&rtc.clause, reg, 4));
	}
	answered(line_level);
	answered(armed_ns);
}

static inline void use_finisher(uint64_t *seed)
{
	static const uint32_t words[] = { FINISHER_PASS, FINISHER_FAIL, FINISHER_RESET, 5 };
	uint32_t word = words[bus_random(seed) % 4] | bus_random(seed) << 16;

	answered(bus_access(&finisher.clause, bus_random(seed) % 2 * 4, 4, true, word));
	if (bus_random(seed) % 4 == 0)
		hatch_finisher_reset(&finisher);
	answered(finisher.request);
	answered(finisher.code);
}

static inline void use_sbi(uint64_t *seed)
{
	uint64_t a[8] = { bus_random(seed) % 3, bus_random(seed) % 3, 0 };

	switch (bus_random(seed) % 4) {
	case 0:
		answered(call(SBI_EXT_SRST, 0, a));
		break;
	case 1:
		__atomic_store_n(&hart[a[0]].state, (int)a[1], __ATOMIC_RELAXED);
		break;
	case 2:
		a[0] = bus_random(seed);
		answered(call(SBI_EXT_TIME, 0, a));
		break;
	default:
		call(SBI_EXT_HSM, 2, a);
		answered(k.value + k.second);
	}
	answered(sbi.reset);
	answered(sbi.reason);
}

static struct device {
	struct hatch_state *state;
	void *self;
	size_t self_size;
	void (*use)(uint64_t *seed);
} devices[] = {
	{ &plic.state, &plic, sizeof(plic), use_plic },
	{ &uart.state, &uart, sizeof(uart), use_uart },
	{ &rtc.state, &rtc, sizeof(rtc), use_rtc },
	{ &finisher.state, &finisher, sizeof(finisher), use_finisher },
	{ &sbi.state, &sbi, sizeof(sbi), use_sbi },
};

#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static inline int set_up_devices(void **state)
{
	set_up(state);
	assert_int_equal(hatch_plic_init(&plic, hatch_gpa_of(0xc000000), SOURCES, CONTEXTS), 0);
	plic.output = on_output;
	hatch_uart_init(&uart, hatch_gpa_of(0x10000000));
	uart.write = on_write;
	uart.drained = on_drained;
	uart.line = on_line;
	uart.line_arg = &line_level;
	hatch_rtc_init(&rtc, hatch_gpa_of(0x101000));
	rtc.now = on_now;
	rtc.arm = on_arm;
	rtc.line = on_line;
	rtc.line_arg = &line_level;
	hatch_finisher_init(&finisher, hatch_gpa_of(0x100000));
	now_ns = UINT64_C(0x17b3fffffffff000);
	line_level = false;
	memset(outputs, 0, sizeof(outputs));
	return 0;
}

struct image {
	_Alignas(8) uint8_t bytes[ROOM];
};

/* Rubbish first: every byte must be written, also those that mean nothing. */
static inline struct image saved(const struct device *device, uint8_t rubbish)
{
	struct image image;

	assert_true(device->state->size <= ROOM);
	memset(&image, rubbish, sizeof(image));
	device->state->save(device->state->arg, &image);
	for (size_t i = device->state->size; i < ROOM; i++)
		assert_int_equal(image.bytes[i], rubbish);
	return image;
}

static inline void expect_saved(const struct device *device, const struct image *image)
{
	struct image again = saved(device, 0x5a);

	assert_memory_equal(again.bytes, image->bytes, device->state->size);
}

static inline int restore(const struct device *device, const struct image *image)
{
	return device->state->restore(device->state->arg, image, &vcpu[0]);
}

#endif
