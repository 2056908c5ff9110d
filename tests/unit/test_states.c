/* SPDX-License-Identifier: MIT */
/*
 * The states of the stock devices: what was saved and put back goes on as before, byte by byte;
 * bytes that no device could have saved are refused, and nothing is changed then.
 */
#include <stdlib.h>

#include "states_devices.h"

enum { ROUNDS = 300, USES = 40, IMAGES = 100000 };

/* Device after device, each alone: the sinks are shared. */
static void use(struct device *device, uint64_t *seed)
{
	for (unsigned int i = bus_random(seed) % USES; i; i--)
		device->use(seed);
}

/* ---- The same again ---- */

static void expect_same(struct device *device, uint64_t *seed)
{
	struct image before, after;
	uint64_t again, time, first;

	use(device, seed);
	before = saved(device, 0xa5);
	again = *seed;
	time = now_ns;
	answers = 0;
	use(device, seed);
	first = answers;
	after = saved(device, 0xa5);
	use(device, seed);
	now_ns = time;
	outside = 0;
	assert_int_equal(restore(device, &before), HATCH_OK);
	assert_int_equal(outside, 0);
	expect_saved(device, &before);
	answers = 0;
	use(device, &again);
	assert_int_equal(answers, first);
	expect_saved(device, &after);
}

static void test_same_again(void **state)
{
	uint64_t seed = 1;

	for (size_t i = 0; i < DEVICES; i++) {
		set_up_devices(state);
		for (unsigned int round = 0; round < ROUNDS; round++)
			expect_same(&devices[i], &seed);
	}
}

static void test_names(void **state)
{
	struct hatch_scope scope;

	(void)state;
	hatch_scope_init(&scope, "devices", NULL);
	for (size_t i = 0; i < DEVICES; i++) {
		assert_int_equal(devices[i].state->version, 1);
		assert_int_equal(hatch_state_add(&scope, devices[i].state), HATCH_OK);
	}
}

/* ---- Bytes that no device has saved ---- */

static void expect_refused(const struct device *device, const struct image *image)
{
	void *before = malloc(device->self_size);
	struct hatch_sbi_hart harts[HARTS];

	memcpy(before, device->self, device->self_size);
	memcpy(harts, hart, sizeof(harts));
	told = outside = 0;
	armed = 1;
	assert_int_equal(restore(device, image), HATCH_EFORMAT);
	assert_int_equal(told + outside, 0);
	assert_int_equal(armed, 1);
	assert_memory_equal(device->self, before, device->self_size);
	assert_memory_equal(hart, harts, sizeof(harts));
	free(before);
}

/* The device as it is, but for one little-endian number of so many bytes. */
static void expect_bad(const struct device *device, size_t at, size_t size, uint64_t value)
{
	struct image image = saved(device, 0);

	memcpy(image.bytes + at, &value, size);
	expect_refused(device, &image);
}

static void test_bad_plic(void **state)
{
	const struct device *device = &devices[0];
	const size_t level = 8, pending = 24, service = 40, priority = 56, context = 184;

	(void)state;
	assert_int_equal(plic.state.size, 184 + 24 * CONTEXTS);
	expect_bad(device, 0, 4, SOURCES - 1);
	expect_bad(device, 4, 4, CONTEXTS + 1);
	expect_bad(device, pending, 4, 1);	    /* source 0 */
	expect_bad(device, service + 8, 4, 1 << 7); /* source 71 */
	expect_bad(device, pending + 12, 4, 1);
	expect_bad(device, level, 4, 2); /* high, and nobody knows */
	expect_bad(device, priority, 1, 1);
	expect_bad(device, priority + 5, 1, 8);
	expect_bad(device, priority + SOURCES + 1, 1, 1);
	expect_bad(device, context, 4, 1);
	expect_bad(device, context + 24 * 3 + 8, 4, 1 << 7);
	expect_bad(device, context + 16, 4, 8);
	expect_bad(device, context + 20, 4, 1);
	hatch_plic_set(&plic, 1, true);
	expect_bad(device, service, 4, 2); /* pending as well */
}

static void test_bad_uart(void **state)
{
	enum { FIRST = 16, COUNT, IER, FCR, LCR, MCR, MSR, SCR, DLL, DLM, SENT, LOST, RESERVED };

	(void)state;
	assert_int_equal(uart.state.size, 32);
	expect_bad(&devices[1], FIRST, 1, 16);
	expect_bad(&devices[1], COUNT, 1, 2); /* without FIFOs */
	expect_bad(&devices[1], IER, 1, 0x10);
	expect_bad(&devices[1], FCR, 1, 0x08); /* not enabled */
	expect_bad(&devices[1], FCR, 1, 0x03); /* a bit that acts once */
	expect_bad(&devices[1], MCR, 1, 0x20);
	expect_bad(&devices[1], MCR, 1, 0x10); /* the lines would be others */
	expect_bad(&devices[1], MSR, 1, 0xf0);
	expect_bad(&devices[1], SENT, 1, 2);
	expect_bad(&devices[1], LOST, 1, 0xff);
	expect_bad(&devices[1], RESERVED, 4, 1 << 24);
	bus_store(&uart.clause, 2, 1, 1);
	expect_bad(&devices[1], COUNT, 1, 17);
}

static void test_bad_others(void **state)
{
	(void)state;
	assert_int_equal(rtc.state.size, 32);
	for (size_t flag = 24; flag < 32; flag++)
		expect_bad(&devices[2], flag, 1, 2);
	expect_bad(&devices[2], 31, 1, 1);
	expect_bad(&devices[3], 0, 4, 4);
	expect_bad(&devices[3], 0, 4, HATCH_FINISHER_FAIL); /* without a code */
	expect_bad(&devices[3], 0, 8, UINT64_C(0x10000) << 32 | HATCH_FINISHER_FAIL);
	expect_bad(&devices[3], 0, 8, UINT64_C(1) << 32 | HATCH_FINISHER_PASS);
	expect_bad(&devices[4], 0, 4, HARTS - 1);
	expect_bad(&devices[4], 4, 4, HATCH_RESET_STOPPED + 1);
	expect_bad(&devices[4], 8, 4, 1); /* a reason for nothing */
	expect_bad(&devices[4], 4, 8, UINT64_C(1) << 32 | HATCH_RESET_STOPPED);
	expect_bad(&devices[4], 4, 8, UINT64_C(2) << 32 | HATCH_RESET_SHUTDOWN);
	expect_bad(&devices[4], 12, 4, 1);
	for (size_t i = 0; i < HARTS; i++)
		expect_bad(&devices[4], 16 + 4 * i, 4, SBI_HART_RESUME_PENDING + 1);
}

/* Some bytes of a good image become any. What is taken is what is saved again. */
static bool try_image(struct device *device, uint64_t *seed)
{
	struct image image = saved(device, 0);
	unsigned int changes = bus_random(seed) % 16 ? bus_random(seed) % 6 : ROOM;

	while (changes--) {
		uint8_t *byte = &image.bytes[bus_random(seed) % device->state->size];

		*byte = (uint8_t)(bus_random(seed) & 1 ? bus_random(seed) : bus_random(seed) % 4);
	}
	if (restore(device, &image)) {
		expect_refused(device, &image);
		return false;
	}
	expect_saved(device, &image);
	device->use(seed);
	return true;
}

static void test_any_bytes(void **state)
{
	for (size_t i = 0; i < DEVICES; i++) {
		uint64_t seed = i;
		unsigned int taken = 0;

		set_up_devices(state);
		for (unsigned int image = 0; image < IMAGES; image++) {
			if (image % 64 == 0)
				use(&devices[i], &seed);
			taken += try_image(&devices[i], &seed);
		}
		assert_in_range(taken, IMAGES / 100, IMAGES - IMAGES / 100);
	}
}

/* ---- The wires ---- */

/* The sink may be another one by now: it is told everything, high or low. */
static void test_plic_tells_all(void **state)
{
	struct image image;

	(void)state;
	bus_store(&plic.clause, 4, 4, 1);
	bus_store(&plic.clause, 0x2080, 4, 2);
	hatch_plic_set(&plic, 1, true);
	image = saved(&devices[0], 0);
	memset(outputs, true, sizeof(outputs));
	outputs[1] = false;
	assert_int_equal(restore(&devices[0], &image), HATCH_OK);
	for (unsigned int i = 0; i < CONTEXTS; i++)
		assert_int_equal(outputs[i], i == 1);
}

static void test_lines_are_told(void **state)
{
	struct image image;

	(void)state;
	bus_store(&uart.clause, 1, 1, 1);
	hatch_uart_receive(&uart, (const uint8_t *)"x", 1);
	assert_true(line_level);
	image = saved(&devices[1], 0);
	line_level = false;
	assert_int_equal(restore(&devices[1], &image), HATCH_OK);
	assert_true(line_level);
	hatch_uart_reset(&uart);
	image = saved(&devices[1], 0);
	line_level = true;
	assert_int_equal(restore(&devices[1], &image), HATCH_OK);
	assert_false(line_level);
}

/* An alarm is asked for at its time, or now when that has passed; it does not go off in between. */
static void test_rtc_is_armed(void **state)
{
	struct image image;

	(void)state;
	bus_store(&rtc.clause, 0x10, 4, 1);
	bus_store(&rtc.clause, 0x0c, 4, (now_ns + 500) >> 32);
	bus_store(&rtc.clause, 0x08, 4, now_ns + 500);
	image = saved(&devices[2], 0);
	hatch_rtc_reset(&rtc);
	assert_int_equal(armed_ns, HATCH_RTC_NEVER);
	assert_int_equal(restore(&devices[2], &image), HATCH_OK);
	assert_int_equal(armed_ns, now_ns + 500);
	now_ns += 700;
	assert_int_equal(restore(&devices[2], &image), HATCH_OK);
	assert_int_equal(armed_ns, now_ns);
	assert_false(line_level);
	hatch_rtc_poll(&rtc);
	assert_true(line_level);
	hatch_rtc_reset(&rtc);
	image = saved(&devices[2], 0);
	armed_ns = 1;
	assert_int_equal(restore(&devices[2], &image), HATCH_OK);
	assert_int_equal(armed_ns, HATCH_RTC_NEVER);
}

/* The only hart follows; its old vcpu may be gone. Several do not go with a clone. */
static void test_hart_follows(void **state)
{
	struct hatch_vcpu *gone = malloc(sizeof(*gone)), other = vcpu[0];
	struct image image = saved(&devices[4], 0);

	(void)state;
	assert_int_equal(sbi.state.restore(&sbi, &image, &other), HATCH_ENOTSUP);
	assert_int_equal(sbi.state.restore(&sbi, &image, &vcpu[2]), HATCH_OK);
	assert_ptr_equal(hart[2].vcpu, &vcpu[2]);
	assert_ptr_equal(hart[0].vcpu, &vcpu[0]);
	hatch_sbi_init(&sbi, hart, 1, &timer);
	hart[0].vcpu = gone;
	image = saved(&devices[4], 0);
	free(gone);
	other.vs.vstimecmp = 77;
	assert_int_equal(sbi.state.restore(&sbi, &image, &other), HATCH_OK);
	assert_ptr_equal(hart[0].vcpu, &other);
	assert_int_equal(armed, 77);
	other.confine.henvcfg = HENVCFG_STCE; /* its alarm is in its registers */
	armed = 1;
	assert_int_equal(sbi.state.restore(&sbi, &image, &other), HATCH_OK);
	assert_int_equal(armed, 1);
}

/* What a snapshot asks for: this hart is started, and no other is anything but stopped. */
static void test_is_alone(void **state)
{
	(void)state;
	assert_true(HARTS > 1);
	for (int own = 0; own <= SBI_HART_RESUME_PENDING; own++)
		for (int other = 0; other <= SBI_HART_RESUME_PENDING; other++) {
			for (unsigned int i = 0; i < HARTS; i++)
				hart[i].state = SBI_HART_STOPPED;
			hart[0].state = own;
			hart[HARTS - 1].state = other;
			assert_int_equal(sbi.state.is_alone(&sbi, &vcpu[0]),
					 own == SBI_HART_STARTED && other == SBI_HART_STOPPED);
			assert_int_equal(sbi.state.is_alone(&sbi, &vcpu[HARTS - 1]),
					 own == SBI_HART_STOPPED && other == SBI_HART_STARTED);
		}
}

/* The machine's harts have the time of the one whose registers were put back. */
static void test_one_clock(void **state)
{
	struct image image = saved(&devices[4], 0);

	(void)state;
	vcpu[1].confine.htimedelta = 12345;
	assert_int_equal(sbi.state.restore(&sbi, &image, &vcpu[1]), HATCH_OK);
	for (unsigned int i = 0; i < HARTS; i++)
		assert_int_equal(vcpu[i].confine.htimedelta, 12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_again),
		cmocka_unit_test_setup(test_names, set_up_devices),
		cmocka_unit_test_setup(test_bad_plic, set_up_devices),
		cmocka_unit_test_setup(test_bad_uart, set_up_devices),
		cmocka_unit_test_setup(test_bad_others, set_up_devices),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test_setup(test_plic_tells_all, set_up_devices),
		cmocka_unit_test_setup(test_lines_are_told, set_up_devices),
		cmocka_unit_test_setup(test_rtc_is_armed, set_up_devices),
		cmocka_unit_test_setup(test_is_alone, set_up_devices),
		cmocka_unit_test_setup(test_one_clock, set_up_devices),
		cmocka_unit_test_setup(test_hart_follows, set_up_devices),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
