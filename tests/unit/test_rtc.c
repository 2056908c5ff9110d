/* SPDX-License-Identifier: MIT */
#include "device_bus.h"

#include <hatch/handlers/rtc.h>

enum {
	TIME_LOW = 0x00,
	TIME_HIGH = 0x04,
	ALARM_LOW = 0x08,
	ALARM_HIGH = 0x0c,
	IRQ_ENABLED = 0x10,
	CLEAR_ALARM = 0x14,
	ALARM_STATUS = 0x18,
	CLEAR_INTERRUPT = 0x1c,
	STEPS = 60000,
};

#define START UINT64_C(0x17b3fffffffff000) /* the low half is about to wrap */

static struct hatch_rtc rtc;
static uint64_t host_time, armed;
static bool level;

static uint64_t on_now(void *arg)
{
	assert_ptr_equal(arg, &host_time);
	return host_time;
}

static void on_arm(void *arg, struct hatch_vcpu *vcpu, uint64_t ns)
{
	(void)vcpu;
	assert_ptr_equal(arg, &host_time);
	armed = ns;
}

static void on_line(void *arg, bool now)
{
	assert_ptr_equal(arg, &level);
	assert_int_not_equal(level, now); /* changes only */
	level = now;
}

static int setup(void **state)
{
	(void)state;
	hatch_rtc_init(&rtc, hatch_gpa_of(0x101000));
	rtc.now = on_now;
	rtc.arm = on_arm;
	rtc.arg = &host_time;
	rtc.line = on_line;
	rtc.line_arg = &level;
	host_time = START;
	armed = HATCH_RTC_NEVER;
	level = false;
	return 0;
}

static uint32_t load(uint64_t offset)
{
	return (uint32_t)bus_load(&rtc.clause, offset, 4);
}

static void store(uint64_t offset, uint32_t value)
{
	bus_store(&rtc.clause, offset, 4, value);
}

static uint64_t load_pair(uint64_t low)
{
	uint64_t value = load(low);

	return value | (uint64_t)load(low + 4) << 32;
}

static void store_pair(uint64_t low, uint64_t value)
{
	store(low + 4, (uint32_t)(value >> 32));
	store(low, (uint32_t)value);
}

static void test_time(void **state)
{
	(void)state;
	assert_int_equal(rtc.clause.last - rtc.clause.first + 1, 0x1000);
	assert_int_equal(load_pair(TIME_LOW), START);
	/* The high half belongs to the low one, even if it changed in between. */
	assert_int_equal(load(TIME_LOW), (uint32_t)START);
	host_time += 0x1000;
	assert_int_equal(load(TIME_HIGH), START >> 32);
	assert_int_equal(load_pair(TIME_LOW), START + 0x1000);
}

static void test_set_time(void **state)
{
	(void)state;
	store_pair(TIME_LOW, 5000);
	host_time += 77;
	assert_int_equal(load_pair(TIME_LOW), 5077);
	store_pair(TIME_LOW, UINT64_MAX);
	host_time += 11;
	assert_int_equal(load_pair(TIME_LOW), 10);
	hatch_rtc_reset(&rtc);
	assert_int_equal(load_pair(TIME_LOW), 10);
}

static void test_alarm(void **state)
{
	(void)state;
	store(IRQ_ENABLED, 1);
	store_pair(ALARM_LOW, START + 1000);
	assert_int_equal(armed, START + 1000);
	assert_int_equal(load(ALARM_STATUS), 1);
	assert_int_equal(load_pair(ALARM_LOW), START + 1000);
	host_time += 999;
	hatch_rtc_poll(&rtc);
	assert_false(level);
	host_time += 1;
	hatch_rtc_poll(&rtc);
	assert_true(level);
	assert_int_equal(load(ALARM_STATUS), 0);
	hatch_rtc_poll(&rtc);
	store(CLEAR_INTERRUPT, 1);
	assert_false(level);
	hatch_rtc_poll(&rtc);
	assert_false(level);
}

static void test_alarm_in_the_past(void **state)
{
	(void)state;
	store_pair(ALARM_LOW, START - 1);
	assert_int_equal(load(ALARM_STATUS), 0);
	assert_int_equal(armed, HATCH_RTC_NEVER);
	assert_false(level); /* went off, but interrupts are off */
	store(IRQ_ENABLED, 1);
	assert_true(level);
	store(IRQ_ENABLED, 2);
	assert_false(level);
	assert_int_equal(load(IRQ_ENABLED), 0);
	store(IRQ_ENABLED, 1);
	hatch_rtc_reset(&rtc);
	assert_false(level);
	assert_int_equal(load(IRQ_ENABLED), 0);
}

static void test_alarm_cleared(void **state)
{
	(void)state;
	store(IRQ_ENABLED, 1);
	store_pair(ALARM_LOW, START + 1000);
	store(CLEAR_ALARM, 1);
	assert_int_equal(armed, HATCH_RTC_NEVER);
	assert_int_equal(load(ALARM_STATUS), 0);
	host_time += 2000;
	hatch_rtc_poll(&rtc);
	assert_false(level);
	store_pair(ALARM_LOW, host_time + 5);
	hatch_rtc_reset(&rtc);
	assert_int_equal(armed, HATCH_RTC_NEVER);
	assert_int_equal(load_pair(ALARM_LOW), 0);
}

/* Moving the clock moves the moment at which the alarm is due. */
static void test_alarm_and_set_time(void **state)
{
	(void)state;
	store(IRQ_ENABLED, 1);
	store_pair(TIME_LOW, 1000);
	store_pair(ALARM_LOW, 4000);
	assert_int_equal(armed, START + 3000);
	store_pair(TIME_LOW, 3500);
	assert_int_equal(armed, START + 500);
	store_pair(TIME_LOW, 4000);
	assert_true(level);
	assert_int_equal(armed, HATCH_RTC_NEVER);
	store(CLEAR_INTERRUPT, 0);
	store_pair(ALARM_LOW, UINT64_MAX); /* later than host time can be */
	assert_int_equal(armed, HATCH_RTC_NEVER);
	assert_int_equal(load(ALARM_STATUS), 1);
}

/* Without a timer the guest finds out when it looks. */
static void test_no_sinks(void **state)
{
	(void)state;
	rtc.arm = NULL;
	rtc.line = NULL;
	store(IRQ_ENABLED, 1);
	store_pair(ALARM_LOW, START + 10);
	host_time += 10;
	assert_int_equal(load(ALARM_STATUS), 0);
	assert_true(rtc.level);
	hatch_rtc_reset(&rtc);
	assert_false(rtc.level);
}

static void test_reserved(void **state)
{
	(void)state;
	for (uint64_t offset = 0x20; offset < HATCH_RTC_SIZE; offset += 4) {
		store(offset, UINT32_MAX);
		assert_int_equal(load(offset), 0);
	}
	assert_int_equal(load(CLEAR_ALARM), 0);
	assert_int_equal(load(CLEAR_INTERRUPT), 0);
	store(ALARM_STATUS, 1);
	assert_int_equal(load(ALARM_STATUS), 0);
	bus_expect_width(&rtc.clause, HATCH_RTC_SIZE, 4);
}

static void test_abuse(void **state)
{
	uint64_t seed = 4;
	unsigned int rings = 0;

	(void)state;
	for (unsigned int i = 0; i < STEPS; i++) {
		unsigned int width = bus_random(&seed) % 8 ? 4 : 1U << bus_random(&seed) % 4;
		uint64_t offset = bus_random(&seed) % 10 * 4, value = bus_random(&seed);

		if (bus_random(&seed) & 1) /* a high half that is about now */
			value = (host_time + rtc.offset) >> 32;
		bus_access(&rtc.clause, offset, width, bus_random(&seed) & 1, value);
		host_time += bus_random(&seed) >> 6;
		if (armed <= host_time) {
			hatch_rtc_poll(&rtc);
			assert_false(rtc.armed);
			armed = HATCH_RTC_NEVER;
			rings++;
		}
		assert_int_equal(rtc.level, rtc.rung && rtc.enabled);
		assert_int_equal(rtc.level, level);
	}
	assert_true(rings > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_set_time, setup),
		cmocka_unit_test_setup(test_alarm, setup),
		cmocka_unit_test_setup(test_alarm_in_the_past, setup),
		cmocka_unit_test_setup(test_alarm_cleared, setup),
		cmocka_unit_test_setup(test_alarm_and_set_time, setup),
		cmocka_unit_test_setup(test_no_sinks, setup),
		cmocka_unit_test_setup(test_reserved, setup),
		cmocka_unit_test_setup(test_abuse, setup),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
